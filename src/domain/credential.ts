/**
 * The code a holder shows at the door: 43 bytes of facts and an Ed25519 signature (RFC 8032) over them, as base64url text
 * of 143 characters, which is a QR code of version 8 at level M. All numbers are big-endian.
 *
 * | offset | bytes | content |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | id of the signing key, 1 to 255 |
 * | 2 | 16 | ticket id |
 * | 18 | 16 | event id |
 * | 34 | 2 | number of the ticket type within its event |
 * | 36 | 2 | credential epoch |
 * | 38 | 4 | issued at, Unix seconds |
 * | 42 | 1 | flags, all reserved, 0 |
 * | 43 | 64 | signature over {@link SIGNATURE_PREFIX} followed by bytes 0 to 42 |
 *
 * The same table is in docs/credential.md.
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils";
import { decodeBase64Url, encodeBase64Url } from "./base64url.ts";
import { isUuid } from "./ids.ts";
import { assertInvariant, refuse, succeed, type Result } from "./result.ts";

const VERSION = 1;
const PAYLOAD_BYTES = 43;
const SIGNATURE_BYTES = 64;
/** Length of the text of every credential. */
export const CREDENTIAL_TEXT_LENGTH = 143;

/** How long a code may be shown after it was issued. */
export const CREDENTIAL_VALID_SECONDS = 30;
/** How far ahead of the verifier's clock the issuer's may be. Two Cloudflare locations agree far better than this. */
export const CREDENTIAL_SKEW_SECONDS = 5;

/**
 * Goes in front of the signed bytes, so that no signature made with the same key for another purpose (scan receipts are
 * JWS, whose signed text begins with `eyJ`) can ever pass for a credential.
 */
const SIGNATURE_PREFIX = utf8ToBytes("edge-tickets/credential/1\n");

/** What a credential says. `ticketTypeNumber` and `credentialEpoch` are 0 to 65535. */
export interface Credential {
  readonly keyId: number;
  readonly ticketId: string;
  readonly eventId: string;
  readonly ticketTypeNumber: number;
  readonly credentialEpoch: number;
  readonly issuedAtSeconds: number;
}

/** A credential as read, its signature not yet verified: believe nothing in it before that. */
export interface UnverifiedCredential {
  readonly credential: Credential;
  readonly signedBytes: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

function uuidToBytes(id: string): Uint8Array {
  assertInvariant(isUuid(id), "a credential's ids are lower-case UUIDs");
  return hexToBytes(id.replaceAll("-", ""));
}

function bytesToUuid(bytes: Uint8Array): string {
  const hex = bytesToHex(bytes);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function assertFits(value: number, bits: number, name: string): void {
  assertInvariant(Number.isInteger(value) && value >= 0 && value < 2 ** bits, `${name} fits in ${bits} bits`);
}

/**
 * The bytes to sign for a credential: the prefix, then the 43 bytes of the payload.
 * @throws Error when an id is no UUID or a number does not fit its field, both of which are bugs of the caller.
 */
export function encodeSignedBytes(credential: Credential): Uint8Array<ArrayBuffer> {
  assertFits(credential.keyId, 8, "keyId");
  assertFits(credential.ticketTypeNumber, 16, "ticketTypeNumber");
  assertFits(credential.credentialEpoch, 16, "credentialEpoch");
  assertFits(credential.issuedAtSeconds, 32, "issuedAtSeconds");
  const bytes = new Uint8Array(SIGNATURE_PREFIX.length + PAYLOAD_BYTES);
  bytes.set(SIGNATURE_PREFIX, 0);
  const payload = bytes.subarray(SIGNATURE_PREFIX.length);
  const view = new DataView(payload.buffer, payload.byteOffset, PAYLOAD_BYTES);
  view.setUint8(0, VERSION);
  view.setUint8(1, credential.keyId);
  payload.set(uuidToBytes(credential.ticketId), 2);
  payload.set(uuidToBytes(credential.eventId), 18);
  view.setUint16(34, credential.ticketTypeNumber);
  view.setUint16(36, credential.credentialEpoch);
  view.setUint32(38, credential.issuedAtSeconds);
  return bytes;
}

/** The text to show, from the bytes of {@link encodeSignedBytes} and their signature. Always 143 characters. */
export function assembleCredential(signedBytes: Uint8Array, signature: Uint8Array): string {
  assertInvariant(signature.length === SIGNATURE_BYTES, "an Ed25519 signature has 64 bytes");
  const bytes = new Uint8Array(PAYLOAD_BYTES + SIGNATURE_BYTES);
  bytes.set(signedBytes.subarray(SIGNATURE_PREFIX.length), 0);
  bytes.set(signature, PAYLOAD_BYTES);
  return encodeBase64Url(bytes);
}

/** Reads a credential's text. Total: never throws, whatever the text. Says nothing about who signed it. */
export function decodeCredential(text: string): Result<UnverifiedCredential, { readonly code: "malformed_credential" }> {
  if (text.length !== CREDENTIAL_TEXT_LENGTH) return refuse({ code: "malformed_credential" });
  const decoded = decodeBase64Url(text);
  if (!decoded.ok) return refuse({ code: "malformed_credential" });
  const bytes = decoded.value;
  const view = new DataView(bytes.buffer);
  // Flags are reserved: a reader that does not know a flag must not guess that it is harmless.
  if (view.getUint8(0) !== VERSION || view.getUint8(42) !== 0) return refuse({ code: "malformed_credential" });
  const signedBytes = new Uint8Array(SIGNATURE_PREFIX.length + PAYLOAD_BYTES);
  signedBytes.set(SIGNATURE_PREFIX, 0);
  signedBytes.set(bytes.subarray(0, PAYLOAD_BYTES), SIGNATURE_PREFIX.length);
  const credential: Credential = {
    keyId: view.getUint8(1),
    ticketId: bytesToUuid(bytes.subarray(2, 18)),
    eventId: bytesToUuid(bytes.subarray(18, 34)),
    ticketTypeNumber: view.getUint16(34),
    credentialEpoch: view.getUint16(36),
    issuedAtSeconds: view.getUint32(38),
  };
  return succeed({ credential, signedBytes, signature: bytes.slice(PAYLOAD_BYTES) });
}

/** The moment from which a credential is too old, Unix milliseconds. */
export function credentialExpiresAtMs(issuedAtSeconds: number): number {
  return (issuedAtSeconds + CREDENTIAL_VALID_SECONDS) * 1000;
}

/**
 * True from {@link CREDENTIAL_SKEW_SECONDS} before the moment of issue until {@link CREDENTIAL_VALID_SECONDS} after it, the
 * last moment excluded. A code from further in the future is as little of now as a stale one.
 * @param nowMs the verifier's own clock; a time told by a device would let a copied code live on.
 */
export function isCredentialCurrent(issuedAtSeconds: number, nowMs: number): boolean {
  return nowMs >= (issuedAtSeconds - CREDENTIAL_SKEW_SECONDS) * 1000 && nowMs < credentialExpiresAtMs(issuedAtSeconds);
}
