import { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentProviderDown } from "./payment-provider.ts";
import type { CallStripe } from "./stripe-call.ts";
import { STRIPE_EVENT_TYPES } from "./stripe-event.ts";

/** What one look at the list may read, in pages of 100. Stripe lists the newest first and keeps events for 30 days. */
const EVENTS_LOOKED_AT = 1000;
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
  const listed = await call(z.array(z.unknown()), (stripe) =>
    stripe.events.list(params).autoPagingToArray({ limit: EVENTS_LOOKED_AT }),
  );
  return listed.ok ? succeed(listed.value.toReversed().slice(0, limit)) : refuse(listed.failure.down);
}
