import { z } from "zod";
import { refuse, type Result } from "#domain/result";
import type { PaymentProviderDown } from "./payment-provider.ts";
import type { CallStripe } from "./stripe-call.ts";
import { STRIPE_EVENT_TYPES } from "./stripe-event.ts";

/** What one look at the list may read, in 100 calls. Stripe lists the newest first and keeps events for 30 days. */
const EVENTS_LOOKED_AT = 10_000;
const EVENTS_A_PAGE = 100;

/**
 * The events that Stripe could not deliver, as JSON, oldest first.
 * @param sinceMs Unix milliseconds; older events are left out.
 * @param limit at most so many, the oldest of them: what is left comes with the next look.
 */
export async function listUndeliveredPages(
  call: CallStripe,
  sinceMs: number,
  limit: number,
): Promise<Result<readonly unknown[], PaymentProviderDown>> {
  const params = {
    delivery_success: false,
    created: { gte: Math.floor(sinceMs / 1000) },
    types: [...STRIPE_EVENT_TYPES],
    limit: EVENTS_A_PAGE,
  };
  const listed = await call(z.array(z.unknown()), (stripe) => readOldest(stripe.events.list(params), limit));
  return listed.ok ? listed : refuse(listed.failure.down);
}

/** The last `limit` items of a list that comes newest first, oldest first. The others are let go as they come. */
async function readOldest(newestFirst: AsyncIterable<unknown>, limit: number): Promise<readonly unknown[]> {
  let oldest: unknown[] = [];
  let lookedAt = 0;
  for await (const item of newestFirst) {
    oldest.push(item);
    if (oldest.length >= 2 * limit) oldest = oldest.slice(-limit);
    lookedAt += 1;
    if (lookedAt >= EVENTS_LOOKED_AT) break;
  }
  return oldest.slice(-limit).toReversed();
}
