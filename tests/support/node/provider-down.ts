import { expect } from "vitest";

/** What a provider in trouble must be told as, whichever it is. */
export function providerDown(reason: string, httpStatus?: number): unknown {
  const failure = { code: "payment_provider_down", reason, retryAfterSeconds: expect.any(Number) };
  return { ok: false, failure: httpStatus === undefined ? failure : { ...failure, httpStatus } };
}
