import { ed25519 } from "@noble/curves/ed25519";
import { encodeBase58 } from "#domain/base58";

/** A wallet with its key. */
export interface Wallet {
  readonly address: string;
  /** Base58 of the 64-byte secret key. */
  readonly secretKey: string;
  /** @returns the 64 bytes of an Ed25519 signature over the text in UTF-8. */
  sign(text: string): Uint8Array;
}

/** A new one, by a library that the service does not verify with. */
export function makeWallet(): Wallet {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicBytes = ed25519.getPublicKey(seed);
  return {
    address: encodeBase58(publicBytes),
    secretKey: encodeBase58(Uint8Array.from([...seed, ...publicBytes])),
    sign: (text) => ed25519.sign(new TextEncoder().encode(text), seed),
  };
}
