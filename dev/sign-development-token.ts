import { importJWK, SignJWT, type JWK } from "jose";
import { randomUUID } from "node:crypto";
import { ROLES, type Role } from "#domain/principal";
import type { DevelopmentSecrets } from "./dev-vars.ts";

/** What a development token says. */
export interface DevelopmentClaims {
  readonly role: Role;
  readonly tenantId: string;
  /** Left out, a new random user. */
  readonly userId?: string;
  readonly permissions?: readonly string[];
  /** Stands in the token as an address that its issuer has verified. */
  readonly verifiedEmail?: string;
  /** 3600 when left out. */
  readonly ttlSeconds?: number;
}

/** Tenant of the event that `npm start` seeds, and of tokens that name none. */
export const DEVELOPMENT_TENANT_ID = "7e57ab1e-0000-4000-8000-000000000001";

/** True for one of the contract's roles. */
export function isRole(word: string): word is Role {
  return ROLES.some((role) => role === word);
}

/** A bearer token that the service with these secrets accepts (RS256). */
export async function signDevelopmentToken(secrets: DevelopmentSecrets, claims: DevelopmentClaims): Promise<string> {
  const jwk: JWK = secrets.jwtPrivateJwk;
  const permissions = claims.permissions === undefined ? {} : { permissions: claims.permissions };
  const email = claims.verifiedEmail === undefined ? {} : { email: claims.verifiedEmail, email_verified: true };
  const key = await importJWK(jwk, "RS256");
  return new SignJWT({ tenant_id: claims.tenantId, role: claims.role, ...permissions, ...email })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: jwk.kid ?? "" })
    .setIssuer(secrets.variables["JWT_ISSUER"] ?? "")
    .setAudience(secrets.variables["JWT_AUDIENCE"] ?? "")
    .setSubject(claims.userId ?? randomUUID())
    .setIssuedAt()
    .setExpirationTime(`${claims.ttlSeconds ?? 3600}s`)
    .sign(key);
}
