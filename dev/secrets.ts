/**
 * Fresh random secrets for one development machine or one test run. Nothing made here is ever committed, and nothing has a
 * default: whoever needs a secret gets a new one or fails.
 */
import { base58 } from "@metaplex-foundation/umi/serializers";
import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";

/** An RSA key pair as JWKs (RFC 7517), both carrying the same `kid`, `alg` and `use`. */
export interface JwtKeyPair {
  readonly privateJwk: Record<string, unknown>;
  readonly publicJwk: Record<string, unknown>;
}

/** A new 2048-bit RSA key pair for RS256, with a random key id. */
export function generateJwtKeyPair(): JwtKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const common = { kid: randomUUID(), alg: "RS256", use: "sig" };
  return {
    privateJwk: { ...privateKey.export({ format: "jwk" }), ...common },
    publicJwk: { ...publicKey.export({ format: "jwk" }), ...common },
  };
}

/** A JWKS (RFC 7517, section 5) of public keys, as the text that `JWT_JWKS` holds. */
export function toJwksText(publicJwks: readonly Record<string, unknown>[]): string {
  return JSON.stringify({ keys: publicJwks });
}

/** A Standard Webhooks secret: `whsec_` and 32 random bytes in base64. */
export function generateWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** A secret key in Stripe's form, for the fake Stripe alone. */
export function generateStripeSecretKey(): string {
  return `sk_test_${randomBytes(24).toString("hex")}`;
}

function generateEd25519(): { readonly seed: Buffer; readonly publicKey: Buffer } {
  const { d, x } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  if (d === undefined || x === undefined) throw new Error("Node exported an Ed25519 key without its parts");
  return { seed: Buffer.from(d, "base64url"), publicKey: Buffer.from(x, "base64url") };
}

/**
 * One entry of the ring `CREDENTIAL_SIGNING_KEYS`: the key id, a colon, and the 32-byte Ed25519 seed in base64url.
 * @param keyId 1 to 255; it travels in each credential's header byte.
 */
export function generateCredentialKey(keyId: number): string {
  return `${keyId}:${generateEd25519().seed.toString("base64url")}`;
}

/** A Solana wallet's secret key in base58: 32 bytes of seed, then 32 bytes of public key. */
export function generateSolanaWallet(): string {
  const { seed, publicKey } = generateEd25519();
  return base58.deserialize(Buffer.concat([seed, publicKey]))[0];
}

/** The address of a wallet that `generateSolanaWallet` made. @param secretKey 64 bytes in base58. */
export function readSolanaAddress(secretKey: string): string {
  return base58.deserialize(base58.serialize(secretKey).subarray(32))[0];
}

/** A random Solana address (32 bytes in base58) that nobody holds the key of. */
export function generateSolanaAddress(): string {
  return base58.deserialize(generateEd25519().publicKey)[0];
}
