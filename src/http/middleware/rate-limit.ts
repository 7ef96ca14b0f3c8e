import type { Env } from "#src/config";

/** Rate tiers of the routes; `none` is for webhooks, which prove themselves, and for health. */
export type RateTier = LimitedTier | "none";
type LimitedTier = "read" | "write" | "sale" | "scan";

/** What `wrangler.toml` allows per key and location. */
export const RATE_LIMITS = {
  read: { binding: "RATE_LIMIT_READ", quota: 3000, windowSeconds: 10 },
  write: { binding: "RATE_LIMIT_WRITE", quota: 300, windowSeconds: 10 },
  sale: { binding: "RATE_LIMIT_SALE", quota: 300, windowSeconds: 10 },
  scan: { binding: "RATE_LIMIT_SCAN", quota: 6000, windowSeconds: 10 },
} as const satisfies Record<LimitedTier, { binding: keyof Env; quota: number; windowSeconds: number }>;

/** Counts a request against its tier; true when there is room. `key` is the user, or the address of who has not signed in. */
export async function isWithinLimit(env: Env, tier: LimitedTier, key: string): Promise<boolean> {
  const { success } = await env[RATE_LIMITS[tier].binding].limit({ key });
  return success;
}

/** Headers of a refusal (IETF draft-ietf-httpapi-ratelimit-headers-11). */
export function limitHeaders(tier: RateTier): Readonly<Record<string, string>> {
  if (tier === "none") return {};
  const { quota, windowSeconds } = RATE_LIMITS[tier];
  return {
    "ratelimit-policy": `"${tier}";q=${quota};w=${windowSeconds}`,
    ratelimit: `"${tier}";r=0;t=${windowSeconds}`,
  };
}

/** Seconds after which a refused caller may try again. */
export function retryAfterSeconds(tier: LimitedTier): number {
  return RATE_LIMITS[tier].windowSeconds;
}
