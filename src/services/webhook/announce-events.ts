import { deriveDeliveryId, deriveEventId, formatEventBody } from "#domain/webhook-delivery";
import { listWantedEvents, storeDeliveries, type NewDelivery, type WantedEvent } from "#storage/outgoing-events";
import { listDueEndpoints } from "#storage/webhook-runs";
import type { ServiceContext } from "../context.ts";

/** What announcing events may reach. */
export type AnnouncementContext = Pick<ServiceContext, "d1" | "eventQueue" | "nowMs">;

/** Events turned into deliveries in one transaction: 50 times 20 endpoints are 1,000 rows at most. */
const EVENTS_AT_ONCE = 50;
const TRANSACTIONS_A_RUN = 20;
const ENDPOINTS_A_RUN = 500;
/** The platform takes at most 100 messages a call. */
const MESSAGES_A_CALL = 100;

/**
 * Turns new events into deliveries to the endpoints that want them, and has those endpoints seen to. Repeats and several at once
 * do no harm. @returns how many events.
 */
export async function announceEvents(ctx: AnnouncementContext): Promise<number> {
  let eventCount = 0;
  const endpointIds = new Set<string>();
  for (let transaction = 0; transaction < TRANSACTIONS_A_RUN; transaction += 1) {
    const events = await listWantedEvents(ctx.d1, ctx.nowMs, EVENTS_AT_ONCE);
    if (events.length > 0) {
      const outboxIds = events.map(({ outboxId }) => outboxId);
      await storeDeliveries(ctx.d1, outboxIds, events.flatMap(toDeliveries), ctx.nowMs);
    }
    for (const event of events) for (const id of event.endpointIds) endpointIds.add(id);
    eventCount += events.length;
    if (events.length < EVENTS_AT_ONCE) break;
  }
  await seeTo(ctx, [...endpointIds]);
  return eventCount;
}

/**
 * The cron's part: announces what nobody has announced, and sees to every endpoint with something due, so that a message that
 * the queue has lost costs a minute and nothing else. @returns how many events and endpoints.
 */
export async function sendDueEvents(ctx: AnnouncementContext): Promise<number> {
  const eventCount = await announceEvents(ctx);
  const endpointIds = await listDueEndpoints(ctx.d1, ctx.nowMs, ENDPOINTS_A_RUN);
  await seeTo(ctx, endpointIds);
  return eventCount + endpointIds.length;
}

function toDeliveries(event: WantedEvent): NewDelivery[] {
  if (event.endpointIds.length === 0) return [];
  const eventId = deriveEventId(event);
  const body = formatEventBody(event);
  return event.endpointIds.map((endpointId) => {
    return { id: deriveDeliveryId(endpointId, eventId), endpointId, outboxId: event.outboxId, eventId, body };
  });
}

async function seeTo(ctx: AnnouncementContext, endpointIds: readonly string[]): Promise<void> {
  for (let start = 0; start < endpointIds.length; start += MESSAGES_A_CALL) {
    const part = endpointIds.slice(start, start + MESSAGES_A_CALL);
    await ctx.eventQueue.sendBatch(part.map((endpointId) => ({ body: { endpointId } })));
  }
}
