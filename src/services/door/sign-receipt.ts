import { encodeBase64Url } from "#domain/base64url";
import type { ScanAnswer } from "#domain/gate-messages";
import { signBytes, type SigningKeys } from "#platform/signing-keys";

const encoder = new TextEncoder();

/** The encoded header of each signing key; a ring has at most 255. */
const heads = new Map<number, string>();

function headOf(keyId: number): string {
  const known = heads.get(keyId);
  if (known !== undefined) return known;
  const head = encodeJson({ alg: "EdDSA", kid: String(keyId), typ: "scan-receipt" });
  heads.set(keyId, head);
  return head;
}

/**
 * Signs an answer as a compact JWS (RFC 7515, EdDSA of RFC 8037) with the ring's newest key; `kid` is the key's id. The same
 * answer gives the same receipt until the key is rotated.
 */
export async function signReceipt(
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
  const signed = `${headOf(keys.newest.keyId)}.${encodeJson(claims)}`;
  return `${signed}.${encodeBase64Url(await signBytes(keys, encoder.encode(signed)))}`;
}

function encodeJson(part: unknown): string {
  return encodeBase64Url(encoder.encode(JSON.stringify(part)));
}
