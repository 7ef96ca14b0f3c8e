import { assertInvariant } from "#domain/result";

/** One Ed25519 key of a ring as it is configured: its id, 1 to 255, and its 32-byte seed (RFC 8032). */
export interface SigningSeed {
  readonly keyId: number;
  readonly seed: Uint8Array;
}

/** An imported ring. Private keys cannot be exported again. */
export interface SigningKeys {
  /** Signs with the newest key. */
  readonly newest: { readonly keyId: number; readonly privateKey: CryptoKey };
  /** Public key of each id in the ring: a key that is no longer the newest still verifies until it is removed. */
  readonly publicKeys: ReadonlyMap<number, CryptoKey>;
}

const SEED_BYTES = 32;
/** DER of a PKCS #8 Ed25519 private key up to its seed (RFC 8410, section 7). */
const PKCS8_HEAD = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

async function importPair(seed: Uint8Array): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> {
  assertInvariant(seed.length === SEED_BYTES, "an Ed25519 seed has 32 bytes");
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + SEED_BYTES);
  pkcs8.set(PKCS8_HEAD, 0);
  pkcs8.set(seed, PKCS8_HEAD.length);
  // WebCrypto derives a public key only on export, so one short-lived copy of the key can be exported.
  const exportable = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, true, ["sign"]);
  const jwk = await crypto.subtle.exportKey("jwk", exportable);
  assertInvariant(!(jwk instanceof ArrayBuffer) && jwk.x !== undefined, "an exported Ed25519 key has its public half");
  const publicJwk = { kty: "OKP", crv: "Ed25519", x: jwk.x };
  return {
    privateKey: await crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]),
    publicKey: await crypto.subtle.importKey("jwk", publicJwk, { name: "Ed25519" }, false, ["verify"]),
  };
}

async function importRing(seeds: readonly SigningSeed[]): Promise<SigningKeys> {
  const pairs = await Promise.all(seeds.map(async ({ keyId, seed }) => ({ keyId, ...(await importPair(seed)) })));
  const [newest] = pairs;
  assertInvariant(newest !== undefined, "a key ring has at least one key");
  assertInvariant(new Set(seeds.map(({ keyId }) => keyId)).size === seeds.length, "each key of a ring has its own id");
  return {
    newest: { keyId: newest.keyId, privateKey: newest.privateKey },
    publicKeys: new Map(pairs.map(({ keyId, publicKey }) => [keyId, publicKey])),
  };
}

const imported = new WeakMap<readonly SigningSeed[], SigningKeys>();

/**
 * Imports a ring, newest key first, once per isolate: the same array gives the same keys.
 * @throws Error for an empty ring, an id used twice, or a seed of another length.
 */
export async function importSigningKeys(seeds: readonly SigningSeed[]): Promise<SigningKeys> {
  const known = imported.get(seeds);
  if (known !== undefined) return known;
  const keys = await importRing(seeds);
  imported.set(seeds, keys);
  return keys;
}

/** Signs with the ring's newest key. @returns the 64 bytes of an Ed25519 signature. */
export async function signBytes(keys: SigningKeys, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, keys.newest.privateKey, bytes));
}

/** True when the key of this id, if the ring holds it, made the signature over exactly these bytes. */
export async function verifyBytes(
  keys: SigningKeys,
  keyId: number,
  signature: Uint8Array,
  bytes: Uint8Array,
): Promise<boolean> {
  const publicKey = keys.publicKeys.get(keyId);
  return publicKey !== undefined && (await crypto.subtle.verify({ name: "Ed25519" }, publicKey, signature, bytes));
}
