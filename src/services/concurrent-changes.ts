import type { Failure } from "#domain/failure";
import type { Result } from "#domain/result";

/**
 * How often a change is decided anew because someone else changed the same thing at the same time. Of those who try at once one
 * gets through with each attempt, so a crowd of as many is answered; whoever is left tries again later.
 */
export const MOST_ATTEMPTS = 30;

/** The thing changed under every attempt. */
export const KEEPS_CHANGING: Result<never, Failure> = { ok: false, failure: { code: "overloaded", retryAfterSeconds: 1 } };
