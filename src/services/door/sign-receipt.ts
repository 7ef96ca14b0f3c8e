import { CompactSign } from "jose";
import type { ScanAnswer } from "#domain/gate-messages";
import type { SigningKeys } from "#platform/signing-keys";

const encoder = new TextEncoder();

/**
 * Signs an answer as a compact JWS (RFC 7515, EdDSA of RFC 8037) with the ring's newest key; `kid` is the key's id. The same
 * answer gives the same receipt until the key is rotated.
 */
export function signReceipt(
  keys: SigningKeys,
  answer: ScanAnswer,
  question: { readonly eventId: string; readonly nonce: string | null },
): Promise<string> {
  const claims = {
    result: answer.result,
    reason: answer.reason,
    ticketId: answer.ticket?.id ?? null,
    eventId: question.eventId,
    entryCount: answer.entryCount,
    at: new Date(answer.decidedAtMs).toISOString(),
    nonce: question.nonce,
  };
  return new CompactSign(encoder.encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: "EdDSA", kid: String(keys.newest.keyId), typ: "scan-receipt" })
    .sign(keys.newest.privateKey);
}
