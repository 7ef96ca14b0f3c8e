import { refuse, type Result } from "#domain/result";
import type { WebhookSignatureInvalid } from "./payment-provider.ts";

/** How long before or after the moment of its signature a delivery is believed, whichever provider signed it. */
export const TOLERANCE_SECONDS = 5 * 60;

/** Unix seconds as the signer wrote them: no sign, fraction or leading zero, so that text and number are the same. */
export const UNIX_SECONDS_PATTERN = /^[1-9]\d{0,10}$/;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of UTF-8 bytes, or undefined when they are none. Strict, and keeps a byte order mark, so that encoding the text
 * gives back the same bytes: what was signed and what is parsed can't differ.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** True when a delivery was signed too long ago, or ahead of time. Whole seconds on both sides, because headers have no finer unit. */
export function isOutOfTolerance(signedAtSeconds: number, nowMs: number): boolean {
  return Math.abs(Math.floor(nowMs / 1000) - signedAtSeconds) > TOLERANCE_SECONDS;
}

/** The refusal of a delivery that is not authentic. */
export function refuseSignature(reason: WebhookSignatureInvalid["reason"]): Result<never, WebhookSignatureInvalid> {
  return refuse({ code: "webhook_signature_invalid", reason });
}
