import { assertInvariant } from "#domain/result";

/** Length of an Ed25519 seed (RFC 8032). */
export const SEED_BYTES = 32;

/** DER of a PKCS #8 PrivateKeyInfo for Ed25519 up to its seed (RFC 8410, section 7). */
const PKCS8_HEAD = Uint8Array.from("302e020100300506032b657004220420".match(/../g) ?? [], (hex) => Number.parseInt(hex, 16));

/**
 * Imports a seed as a WebCrypto key that can sign but, unless `extractable`, never be read again.
 * @throws Error for a seed of another length.
 */
export async function importSeed(seed: Uint8Array, extractable = false): Promise<CryptoKey> {
  assertInvariant(seed.length === SEED_BYTES, "an Ed25519 seed has 32 bytes");
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + SEED_BYTES);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(seed, PKCS8_HEAD.length);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, extractable, ["sign"]);
  pkcs8.fill(0);
  return key;
}
