import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { Failure } from "#domain/failure";
import { isUuid } from "#domain/ids";
import { ROLES, type Principal } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import { remember } from "#platform/remember";
import type { Config } from "#src/config";

/** Verified tokens an isolate remembers; the oldest is forgotten first. */
const TOKENS_REMEMBERED = 5_000;

const claims = z.object({
  sub: z.string().refine(isUuid),
  tenant_id: z.string().refine(isUuid),
  role: z.enum(ROLES),
  permissions: z.array(z.string()).default([]),
  exp: z.number(),
  // Optional (OpenID Connect Core, section 5.1): a malformed one proves nothing, and is no reason to turn a caller away.
  email: z.email().max(254).optional().catch(undefined),
  email_verified: z.literal(true).optional().catch(undefined),
});

interface Verified {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

/** Verifies the bearer tokens of one configuration. */
export interface Authenticator {
  /** Who calls, or `unauthenticated` with what is wrong with the token; never which key or claim value. */
  authenticate(authorization: string | null, nowMs: number): Promise<Result<Principal, Failure>>;
}

/**
 * Bearer tokens as the contract has them: RS256 and nothing else, `iss`, `aud`, `exp`, `sub`, `tenant_id` and `role` required
 * (RFC 7519, RFC 8725). Verified tokens are remembered until they expire, because a verification costs 30 µs and more.
 */
export function createAuthenticator(config: Config): Authenticator {
  const keys = keysOf(config);
  /** By the whole header, so that one which was verified before is not even taken apart. */
  const remembered = new Map<string, Verified>();
  return {
    async authenticate(authorization, nowMs) {
      const header = authorization ?? "";
      const known = remembered.get(header);
      if (known && known.expiresAtMs > nowMs) return succeed(known.principal);
      const token = /^Bearer ([A-Za-z0-9_.-]{1,8192})$/i.exec(header)?.[1];
      if (token === undefined) return unauthenticated("Send Authorization: Bearer and a token.");
      remembered.delete(header);
      const verified = await verify(token, keys, config, nowMs);
      if (verified.ok) remember(remembered, header, verified.value, TOKENS_REMEMBERED);
      return verified.ok ? succeed(verified.value.principal) : verified;
    },
  };
}

async function verify(token: string, keys: JWTVerifyGetKey, config: Config, nowMs: number): Promise<Result<Verified, Failure>> {
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      issuer: config.JWT_ISSUER,
      audience: config.JWT_AUDIENCE,
      requiredClaims: ["iss", "aud", "exp", "sub", "tenant_id"],
      currentDate: new Date(nowMs),
    }));
  } catch (error) {
    if (error instanceof errors.JWTExpired) return unauthenticated("The token has expired.");
    if (isAboutKeys(error)) return refuse({ code: "token_keys_unavailable", retryAfterSeconds: 5 });
    return unauthenticated("The token is not valid here.");
  }
  const parsed = claims.safeParse(payload);
  if (!parsed.success) return unauthenticated("The token lacks a claim this service needs.");
  const { sub: userId, tenant_id: tenantId, role, permissions, exp, email, email_verified: isVerified } = parsed.data;
  const verified = email !== undefined && isVerified ? { verifiedEmail: email } : {};
  return succeed({ principal: { tenantId, userId, role, permissions, ...verified }, expiresAtMs: exp * 1000 });
}

/** The key set could not be fetched or read: nobody can say anything about the token, and its bearer should try again. */
function isAboutKeys(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.code === "ERR_JOSE_GENERIC";
}

function keysOf(config: Config): JWTVerifyGetKey {
  if (config.JWT_JWKS !== undefined) return createLocalJWKSet(config.JWT_JWKS);
  if (config.JWT_JWKS_URL === undefined) throw new Error("broken invariant: a parsed configuration has token keys");
  return createRemoteJWKSet(new URL(config.JWT_JWKS_URL));
}

function unauthenticated(detail: string): { readonly ok: false; readonly failure: Failure } {
  return refuse({ code: "unauthenticated", detail });
}
