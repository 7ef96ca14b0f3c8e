import { decodeCredential, isCredentialCurrent, type Credential } from "#domain/credential";
import type { CodeFault } from "#domain/gate-messages";
import { verifyBytes, type SigningKeys } from "#platform/signing-keys";

/**
 * What a scanned text is. `credential` is there whenever the code is genuine, stale ones included, and never otherwise:
 * what a forger claims must not reach anyone.
 */
export type CodeReading =
  | { readonly fault: null | "expired_code"; readonly credential: Credential }
  | { readonly fault: "invalid"; readonly credential: null };

/**
 * Reads a code without asking any database: format, signature, then age.
 * @param nowMs the Worker's clock, Unix milliseconds.
 */
export async function readCode(keys: SigningKeys, qr: string, nowMs: number): Promise<CodeReading> {
  const decoded = decodeCredential(qr);
  if (!decoded.ok) return { fault: "invalid", credential: null };
  const { credential, signature, signedBytes } = decoded.value;
  const isGenuine = await verifyBytes(keys, credential.keyId, signature, signedBytes);
  if (!isGenuine) return { fault: "invalid", credential: null };
  return { fault: isCredentialCurrent(credential.issuedAtSeconds, nowMs) ? null : "expired_code", credential };
}

/** What speaks against a code at the gate of one event. Another event's code is told as such, stale or not. */
export function findCodeFault(reading: CodeReading, eventId: string): CodeFault | null {
  if (reading.credential !== null && reading.credential.eventId !== eventId) return "wrong_event";
  return reading.fault;
}
