/** Keys the service has never heard of, for tokens and signatures it must refuse. */
import { exportJWK, generateKeyPair, type JWK } from "jose";

/** A new RSA private key for RS256. With the `kid` of a trusted key it imitates that key. */
export async function generatePrivateJwk(kid: string = crypto.randomUUID()): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}
