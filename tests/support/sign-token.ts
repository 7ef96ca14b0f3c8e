/** Bearer tokens for tests: good ones, and each kind of bad one a caller may try. */
import { env } from "cloudflare:workers";
import { base64url, importJWK, SignJWT, type JWK, type JWTPayload } from "jose";
import type { Role } from "#domain/principal";

/** What a token says and how it is signed. Left out, a field is what the service expects, for a new random user and tenant. */
export interface TokenOptions {
  readonly sub?: string;
  readonly tenantId?: string;
  /** A word outside the contract's roles may be given on purpose. */
  readonly role?: Role | (string & {});
  readonly permissions?: readonly string[];
  /** The claim `email`, of any kind, and whether the issuer says to have verified it. */
  readonly email?: unknown;
  readonly emailVerified?: unknown;
  /** Negative for a token that has already expired. */
  readonly ttlSeconds?: number;
  readonly issuer?: string;
  readonly audience?: string;
  /** `HS256` signs with the public JWKS text as the secret (the classic confusion); `none` leaves the signature empty. */
  readonly alg?: "RS256" | "RS512" | "HS256" | "none";
  /** Private key to sign with, in place of the one whose public half is in `JWT_JWKS`. */
  readonly privateJwk?: JWK;
  /** Claims to leave out, by their name in the token. */
  readonly without?: readonly ("iss" | "aud" | "exp" | "sub" | "tenant_id" | "role")[];
}

/** The private key whose public half the service trusts. */
export function trustedPrivateJwk(): JWK {
  return JSON.parse(env.TEST_JWT_PRIVATE_JWK) as JWK; // made by vitest.config.ts as a JWK
}

function claimsOf(options: TokenOptions): JWTPayload {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims: JWTPayload = {
    iss: options.issuer ?? env.JWT_ISSUER,
    aud: options.audience ?? env.JWT_AUDIENCE,
    sub: options.sub ?? crypto.randomUUID(),
    tenant_id: options.tenantId ?? crypto.randomUUID(),
    role: options.role ?? "user",
    iat: nowSeconds,
    exp: nowSeconds + (options.ttlSeconds ?? 600),
    ...(options.permissions === undefined ? {} : { permissions: options.permissions }),
    ...(options.email === undefined ? {} : { email: options.email }),
    ...(options.emailVerified === undefined ? {} : { email_verified: options.emailVerified }),
  };
  const omitted: readonly string[] = options.without ?? [];
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !omitted.includes(name)));
}

/** Signs a JWT (RFC 7519) in compact form. */
export async function signToken(options: TokenOptions = {}): Promise<string> {
  const claims = claimsOf(options);
  const alg = options.alg ?? "RS256";
  if (alg === "none") return `${base64url.encode(JSON.stringify({ alg }))}.${base64url.encode(JSON.stringify(claims))}.`;
  if (alg === "HS256") {
    return new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(env.JWT_JWKS));
  }
  const jwk = options.privateJwk ?? trustedPrivateJwk();
  const header = jwk.kid === undefined ? { alg } : { alg, kid: jwk.kid };
  return new SignJWT(claims).setProtectedHeader(header).sign(await importJWK({ ...jwk, alg }, alg));
}

/** `Authorization` header of a signed token, to spread into a request's headers. */
export async function authorize(options: TokenOptions = {}): Promise<{ readonly authorization: string }> {
  return { authorization: `Bearer ${await signToken(options)}` };
}
