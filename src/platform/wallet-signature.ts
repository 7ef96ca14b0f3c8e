import { decodeBase58 } from "#domain/base58";

/**
 * True when the key of a wallet made this Ed25519 signature over exactly this text in UTF-8 (RFC 8032). The address must have been
 * found to be a wallet's (`findWalletProblem`): for a point of small order a signature proves nothing.
 */
export async function verifyWalletSignature(walletAddress: string, text: string, signature: Uint8Array): Promise<boolean> {
  const address = decodeBase58(walletAddress);
  if (!address.ok) return false;
  const key = await crypto.subtle.importKey("raw", address.value, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, new TextEncoder().encode(text));
}
