import { refuse, succeed, type Result } from "#domain/result";
import type { WebhookRefusal } from "./payment-provider.ts";
import { stripeEnvelope } from "./stripe-schemas.ts";
import { decodeUtf8, isOutOfTolerance, refuseSignature, UNIX_SECONDS_PATTERN } from "./webhook-signature.ts";

/** About 60 signatures. Stripe sends one for each secret in use, two while a secret is replaced. */
const MAX_HEADER_CHARS = 4096;

const SIGNATURE_PATTERN = /^[0-9a-f]{64}$/;

interface SignatureHeader {
  readonly signedAtSeconds: number;
  /** Of scheme `v1`. Every other scheme, Stripe's `v0` of test mode too, proves nothing. */
  readonly signatures: readonly string[];
}

/**
 * Verifies a delivery of Stripe's (`Stripe-Signature: t=…,v1=…`, HMAC-SHA256 over `t.body`) on the bytes that came.
 *
 * The package computes and compares; its `constructEventAsync` knows one secret and lets through what is signed ahead of
 * time. So the ring, the size of the header and the clock are judged here, before anything is computed.
 * @param secrets `whsec_…`, newest first; each is the key as it stands, with its prefix. With none, nothing is ever accepted.
 * @param nowMs Unix milliseconds. What was signed more than 5 minutes before or after it is refused.
 * @returns the event's JSON, not judged any further.
 */
export async function verifyStripeWebhook(
  secrets: readonly string[],
  rawBody: Uint8Array,
  headers: Headers,
  nowMs: number,
): Promise<Result<unknown, WebhookRefusal>> {
  const header = headers.get("stripe-signature");
  if (!header) return refuseSignature("header_missing");
  const parsed = parseHeader(header);
  if (!parsed) return refuseSignature("header_malformed");
  if (isOutOfTolerance(parsed.signedAtSeconds, nowMs)) return refuseSignature("time_out_of_tolerance");
  if (parsed.signatures.length === 0) return refuseSignature("no_matching_signature");
  const text = decodeUtf8(rawBody);
  if (text === undefined || text === "") return judgeBytes(secrets, rawBody, parsed);
  return judgeText(secrets, text, header, nowMs);
}

async function judgeText(
  secrets: readonly string[],
  text: string,
  header: string,
  nowMs: number,
): Promise<Result<unknown, WebhookRefusal>> {
  const { constructStripeEvent, describeStripeError } = await import("./stripe-client.ts");
  for (const secret of secrets) {
    try {
      return succeed(await constructStripeEvent(text, header, secret, nowMs));
    } catch (error) {
      if (describeStripeError(error).kind !== "forged") return salvageEvent(text);
    }
  }
  return refuseSignature("no_matching_signature");
}

/** Genuine, but the package would not read it: no JSON, or one of Stripe's thin events, which are of no use here. */
function salvageEvent(text: string): Result<unknown, WebhookRefusal> {
  try {
    const envelope = stripeEnvelope.safeParse(JSON.parse(text));
    if (envelope.success) return succeed(envelope.data);
  } catch {
    // No JSON: told below.
  }
  return refuse({ code: "webhook_malformed", paths: [""] });
}

/**
 * The package decodes bytes that are not UTF-8 into replacement characters, under which different bodies share a signature,
 * and takes no empty body at all. So it never sees them; who signed them is still told apart from a forger: 400, not 401.
 */
async function judgeBytes(
  secrets: readonly string[],
  rawBody: Uint8Array,
  { signedAtSeconds, signatures }: SignatureHeader,
): Promise<Result<never, WebhookRefusal>> {
  const encoder = new TextEncoder();
  const prefix = encoder.encode(`${signedAtSeconds}.`);
  const content = new Uint8Array(prefix.length + rawBody.length);
  content.set(prefix);
  content.set(rawBody, prefix.length);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  for (const secret of secrets) {
    const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["verify"]);
    for (const signature of signatures) {
      if (await crypto.subtle.verify("HMAC", key, fromHex(signature), content)) {
        return refuse({ code: "webhook_malformed", paths: [""] });
      }
    }
  }
  return refuseSignature("no_matching_signature");
}

/** The header's parts, or undefined for one without exactly one time, or longer than Stripe would send. */
function parseHeader(header: string): SignatureHeader | undefined {
  if (header.length > MAX_HEADER_CHARS) return undefined;
  const parts = header.split(",").map((part) => part.split("=", 2));
  const valuesOf = (name: string): string[] => parts.filter(([key]) => key === name).map(([, value = ""]) => value);
  // Of several times the package takes the last, and would verify another than the one judged here.
  const [time, ...more] = valuesOf("t");
  if (time === undefined || more.length > 0 || !UNIX_SECONDS_PATTERN.test(time)) return undefined;
  return {
    signedAtSeconds: Number(time),
    signatures: valuesOf("v1").filter((signature) => SIGNATURE_PATTERN.test(signature)),
  };
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
