import { assertInvariant } from "#domain/result";
import { importSeed } from "./ed25519-seed.ts";

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

async function importPair(seed: Uint8Array): Promise<{ readonly privateKey: CryptoKey; readonly publicKey: CryptoKey }> {
  // WebCrypto derives a public key only on export, so one short-lived copy of the key can be exported.
  const exportable = await importSeed(seed, true);
  const jwk = await crypto.subtle.exportKey("jwk", exportable);
  assertInvariant(!(jwk instanceof ArrayBuffer) && jwk.x !== undefined, "an exported Ed25519 key has its public half");
  const publicJwk = { kty: "OKP", crv: "Ed25519", x: jwk.x };
  return {
    privateKey: await importSeed(seed),
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

/**
 * True when the key of this id, if the ring holds it, made the signature over exactly these bytes.
 *
 * Nearly all codes at a door are of the newest key. Such a signature is made again and compared first: Ed25519 makes the same one
 * each time (RFC 8032), and to sign costs a third of what it costs to verify. What is not recognised by that is verified, so the answer
 * is that of verification alone.
 */
export async function verifyBytes(
  keys: SigningKeys,
  keyId: number,
  signature: Uint8Array,
  bytes: Uint8Array,
): Promise<boolean> {
  if (keyId === keys.newest.keyId && equalInConstantTime(signature, await signBytes(keys, bytes))) return true;
  const publicKey = keys.publicKeys.get(keyId);
  return publicKey !== undefined && (await crypto.subtle.verify({ name: "Ed25519" }, publicKey, signature, bytes));
}

/** Compares without telling, by the time it takes, how many bytes were right: else the right signature could be found out bit by bit. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
