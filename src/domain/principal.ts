/** Roles a token may carry, least to most. */
export const ROLES = ["user", "door_staff", "venue_manager", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who a verified token says the caller is. */
export interface Principal {
  readonly tenantId: string;
  readonly userId: string;
  readonly role: Role;
  readonly permissions: readonly string[];
  /** The e-mail address that the token's issuer has verified; left out when it vouches for none. Never logged, never stored. */
  readonly verifiedEmail?: string;
}

/** True when the principal's role is `atLeast` or above; `admin:all` passes every check inside its own tenant. */
export function hasRole(principal: Principal, atLeast: Role): boolean {
  if (principal.permissions.includes("admin:all")) return true;
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(atLeast);
}
