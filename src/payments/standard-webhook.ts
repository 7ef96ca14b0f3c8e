import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils";
import { Webhook } from "standardwebhooks";
import { succeed, type Result } from "#domain/result";
import type { WebhookSignatureInvalid } from "./payment-provider.ts";
import { decodeUtf8, isOutOfTolerance, refuseSignature, UNIX_SECONDS_PATTERN } from "./webhook-signature.ts";

/** About 80 signatures. A sender that rotates keys sends two; a longer header only costs time. */
const MAX_SIGNATURE_HEADER_CHARS = 4096;

/** `v1,` and 32 bytes in base64. Signatures of other versions stand beside it and are skipped. */
const SIGNATURE_PATTERN = /^v1,[A-Za-z0-9+/]{43}=$/;

/**
 * The signed content is `id.timestamp.body`, so a full stop inside the id or the timestamp would let one signature fit two
 * readings of it. The specification asks for neither to hold one.
 */
const ID_PATTERN = /^[\x21-\x2d\x2f-\x7e]{1,256}$/;

const SECRET_PREFIX = "whsec_";

/** A delivery whose signature holds. */
export interface VerifiedWebhook {
  /** `webhook-id`: the same for every delivery of one event. */
  readonly webhookId: string;
  /** `webhook-timestamp` in Unix milliseconds: when this attempt was signed, not when the event happened. */
  readonly signedAtMs: number;
}

/**
 * Verifies a request signed as Standard Webhooks 1.0.0 prescribes (HMAC-SHA256, `v1`), on the bytes that came.
 *
 * Signatures are computed by the `standardwebhooks` package. Its own `verify` is not used: it knows one secret, reads the
 * machine's clock, and decodes bytes that are not UTF-8 into replacement characters, under which different bodies share a
 * signature. Header checks, the clock (an argument here) and the comparison are therefore ours.
 *
 * The work has a bound that no sender moves: one hash of the body for each secret of the ring, and none for a delivery that
 * is refused by its headers or shows no signature of version 1.
 *
 * @param secrets `whsec_` and base64, newest first; each is tried. With none, nothing is ever accepted.
 * @param rawBody the body as it came; empty for GET.
 * @param nowMs Unix milliseconds. A timestamp more than 5 minutes before or after it is refused.
 * @throws Error when a secret is not base64: a configuration that should not have started.
 */
export function verifyStandardWebhook(
  secrets: readonly string[],
  rawBody: Uint8Array,
  headers: Headers,
  nowMs: number,
): Result<VerifiedWebhook, WebhookSignatureInvalid> {
  const webhookId = headers.get("webhook-id");
  const timestamp = headers.get("webhook-timestamp");
  const signatures = headers.get("webhook-signature");
  if (!webhookId || !timestamp || !signatures) return refuseSignature("header_missing");
  if (!ID_PATTERN.test(webhookId) || !UNIX_SECONDS_PATTERN.test(timestamp)) return refuseSignature("header_malformed");
  if (signatures.length > MAX_SIGNATURE_HEADER_CHARS) return refuseSignature("header_malformed");
  if (isOutOfTolerance(Number(timestamp), nowMs)) return refuseSignature("time_out_of_tolerance");

  const presented = signatures.split(" ").filter((signature) => SIGNATURE_PATTERN.test(signature));
  if (presented.length === 0) return refuseSignature("no_matching_signature");
  const text = decodeUtf8(rawBody);
  for (const secret of secrets) {
    const expected = computeSignature(secret, webhookId, timestamp, text ?? rawBody);
    if (presented.some((signature) => equalInConstantTime(signature, expected))) {
      return succeed({ webhookId, signedAtMs: Number(timestamp) * 1000 });
    }
  }
  return refuseSignature("no_matching_signature");
}

/** `v1,` and the base64 of the HMAC over `id.timestamp.body`; the body is text, or bytes that are no UTF-8. */
function computeSignature(secret: string, webhookId: string, timestamp: string, body: string | Uint8Array): string {
  if (typeof body === "string") return new Webhook(secret).sign(webhookId, new Date(Number(timestamp) * 1000), body);

  // The package signs text only. A sender that signed other bytes is still told apart from a forger: 400, not 401.
  const key = decodeBase64(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret);
  const mac = hmac(sha256, key, concatBytes(utf8ToBytes(`${webhookId}.${timestamp}.`), body));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
}

function decodeBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

/** Compares without telling, by the time it takes, how many characters were right. The length is no secret. */
function equalInConstantTime(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
