import { decodeBase64Url, encodeBase64Url } from "#domain/base64url";
import { assertInvariant } from "#domain/result";
import type { SigningSeed } from "./signing-keys.ts";

/** Keys to seal texts with, made from a ring of seeds. */
export interface SealingKeys {
  readonly newestKeyId: number;
  readonly keys: ReadonlyMap<number, CryptoKey>;
}

/** A text that only the service can read; `keyId` names the key of the ring that opens it. */
export interface SealedText {
  readonly keyId: number;
  readonly sealed: string;
}

/** Parts this use of a seed from every other one: the codes at the door are signed with the seed itself (RFC 5869, `info`). */
const PURPOSE = new TextEncoder().encode("edge-tickets: secrets of webhook endpoints");

/** The nonce length that AES-GCM is made for; random nonces are safe for 2^32 texts a key. */
const NONCE_BYTES = 12;

async function deriveKey(seed: Uint8Array): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", seed, "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: PURPOSE };
  return crypto.subtle.deriveKey(hkdf, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

const derived = new WeakMap<readonly SigningSeed[], SealingKeys>();

/** The keys of a ring, newest seed first, made once per isolate: the same array gives the same keys. */
export async function deriveSealingKeys(seeds: readonly SigningSeed[]): Promise<SealingKeys> {
  const known = derived.get(seeds);
  if (known !== undefined) return known;
  const [newest] = seeds;
  assertInvariant(newest !== undefined, "a key ring has at least one key");
  const pairs = await Promise.all(seeds.map(async ({ keyId, seed }) => [keyId, await deriveKey(seed)] as const));
  const sealingKeys = { newestKeyId: newest.keyId, keys: new Map(pairs) };
  derived.set(seeds, sealingKeys);
  return sealingKeys;
}

/**
 * Seals a text with the newest key (AES-256-GCM).
 * @param owner id of the row that keeps it; under another one it cannot be opened.
 * @returns `sealed` as base64url of nonce (12 bytes), ciphertext and tag (16 bytes).
 */
export async function sealText({ keys, newestKeyId }: SealingKeys, text: string, owner: string): Promise<SealedText> {
  const key = keys.get(newestKeyId);
  assertInvariant(key !== undefined, "the newest key is in its ring");
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(owner) };
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode(text)));
  const bytes = new Uint8Array(NONCE_BYTES + ciphertext.length);
  bytes.set(nonce);
  bytes.set(ciphertext, NONCE_BYTES);
  return { keyId: newestKeyId, sealed: encodeBase64Url(bytes) };
}

/** Opens a sealed text; undefined when its key is not in the ring any more, or it was changed or sealed for another owner. */
export async function openText(
  { keys }: SealingKeys,
  { keyId, sealed }: SealedText,
  owner: string,
): Promise<string | undefined> {
  const key = keys.get(keyId);
  const bytes = decodeBase64Url(sealed);
  if (key === undefined || !bytes.ok || bytes.value.length < NONCE_BYTES) return undefined;
  const additionalData = new TextEncoder().encode(owner);
  const algorithm = { name: "AES-GCM", iv: bytes.value.subarray(0, NONCE_BYTES), additionalData };
  try {
    return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, bytes.value.subarray(NONCE_BYTES)));
  } catch {
    return undefined;
  }
}
