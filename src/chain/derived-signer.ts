import { createSignerFromKeypair, type KeypairSigner, type Signer, type Umi } from "@metaplex-foundation/umi";

/** Keeps these signatures apart from any transaction or login the same wallet may ever sign. */
const DOMAIN = "edge-tickets/derived-keypair/v1";

/**
 * A keypair that only this wallet can derive, and derives again whenever it is asked with the same purpose: the SHA-256 of
 * the wallet's signature over domain and purpose is its seed (Ed25519 signatures are deterministic, RFC 8032).
 *
 * That makes creating an account repeatable: whoever lost the answer finds the account at the same address.
 * @param purpose such as `tree` or `collection/<event id>`.
 */
export async function deriveSigner(umi: Pick<Umi, "eddsa">, wallet: Signer, purpose: string): Promise<KeypairSigner> {
  const signature = await wallet.signMessage(new TextEncoder().encode(`${DOMAIN}\n${purpose}`));
  const seed = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(signature)));
  return createSignerFromKeypair(umi, umi.eddsa.createKeypairFromSeed(seed));
}
