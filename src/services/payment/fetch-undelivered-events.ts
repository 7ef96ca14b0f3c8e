import type { PaymentEvent, PaymentProvider } from "#payments/payment-provider";
import { findUndeliveredCursor, listKnownEventIds, storeUndeliveredCursor } from "#storage/payment-checks";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { takeEvent } from "./receive-webhook.ts";

/** Providers try for some days; a service that was down for longer has a person who looks. */
const LOOK_BACK_MS = 3 * 86_400_000;
/** Events read of one provider in one run; those of them taken in it, and taken at once. */
const EVENTS_A_RUN = 500;
const TAKEN_A_RUN = 100;
const EVENTS_AT_ONCE = 10;

/** What became of one provider's list. */
interface Fetched {
  readonly listedCount: number;
  readonly takenCount: number;
  readonly failedCount: number;
}

/**
 * Fetches what each provider could not deliver in the last three days, and takes it as if its webhook had come: the list came
 * over our own call to the provider, so it needs no signature. What D1 has already is passed over; a later delivery of what
 * was taken here is a duplicate. For the cron. @returns how many events were taken.
 */
export async function fetchUndeliveredEvents(ctx: ServiceContext): Promise<number> {
  let takenCount = 0;
  for (const provider of Object.values(ctx.paymentProviders)) {
    const fetched = await fetchFrom(ctx, provider);
    takenCount += fetched.takenCount;
    if (fetched.listedCount > 0) {
      ctx.logger.info("undelivered payment events were fetched", { provider: provider.name, ...fetched });
    }
  }
  return takenCount;
}

async function fetchFrom(ctx: ServiceContext, provider: PaymentProvider): Promise<Fetched> {
  const oldestMs = ctx.nowMs - LOOK_BACK_MS;
  const cursor = await findUndeliveredCursor(ctx.d1, provider.name);
  const sinceMs = Math.max(oldestMs, cursor ?? oldestMs);
  const listed = await provider.listUndeliveredEvents(sinceMs, EVENTS_A_RUN, (eventIds) =>
    listKnownEventIds(ctx.d1, provider.name, eventIds),
  );
  if (!listed.ok) {
    ctx.logger.warn("undelivered payment events could not be listed", {
      provider: provider.name,
      reason: listed.failure.reason,
    });
    return { listedCount: 0, takenCount: 0, failedCount: 0 };
  }
  const events = listed.value;
  const unknown = await listUnknown(ctx, provider, events);
  const counts = await takeAll(ctx, provider, unknown.slice(0, TAKEN_A_RUN));
  // A provider leaves out events that it cannot read, so a list that goes on may be shorter than was asked for.
  const hasMore = events.length > EVENTS_A_RUN / 2;
  // What was too much for this run is listed by the next one again, from the same place.
  const nextMs = unknown.length > TAKEN_A_RUN ? cursor : hasMore ? newestOf(events, sinceMs) : null;
  if (nextMs !== cursor) await storeUndeliveredCursor(ctx.d1, provider.name, nextMs);
  return { listedCount: events.length, ...counts };
}

async function listUnknown(
  ctx: ServiceContext,
  provider: PaymentProvider,
  events: readonly PaymentEvent[],
): Promise<readonly PaymentEvent[]> {
  if (events.length === 0) return [];
  const eventIds = events.map(({ eventId }) => eventId);
  const known = await listKnownEventIds(ctx.d1, provider.name, eventIds);
  return events.filter(({ eventId }) => !known.has(eventId));
}

async function takeAll(
  ctx: ServiceContext,
  { name }: PaymentProvider,
  events: readonly PaymentEvent[],
): Promise<Omit<Fetched, "listedCount">> {
  let failedCount = 0;
  for (let start = 0; start < events.length; start += EVENTS_AT_ONCE) {
    const together = events.slice(start, start + EVENTS_AT_ONCE);
    const taken = await Promise.all(together.map((event) => attempt(takeEvent(ctx, event))));
    for (const outcome of taken) {
      if (outcome.ok) continue;
      failedCount += 1;
      ctx.logger.warn("an undelivered event could not be taken, will be tried again", {
        provider: name,
        error: outcome.failure,
      });
    }
  }
  return { takenCount: events.length - failedCount, failedCount };
}

/** Where the next run goes on: at the newest event that was read, and at least a second on, which is what some providers count in. */
function newestOf(events: readonly PaymentEvent[], sinceMs: number): number {
  const newest = events.findLast(({ occurredAtMs }) => occurredAtMs !== null)?.occurredAtMs ?? sinceMs;
  return Math.max(sinceMs + 1_000, newest);
}
