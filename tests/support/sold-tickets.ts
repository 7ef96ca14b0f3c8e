import type { DrizzleD1Database } from "drizzle-orm/d1";
import { events, mintJobs, orderItems, orders, ticketTypes, tickets } from "#storage/schema";

/** Name of the event whose tickets are sold. */
export const EVENT_NAME = "Night of the Lamps";
/** Name of the ticket type. */
export const TYPE_NAME = "Standing";

/** Tickets of one order, sold and waiting to be minted. */
export interface SoldTickets {
  readonly tenantId: string;
  readonly eventId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly ticketIds: readonly string[];
}

/** Sells `count` tickets of a new tenant's event in one order, as the desk's projection leaves them: each with a QUEUED mint job. */
export async function sellTickets(db: DrizzleD1Database, count: number): Promise<SoldTickets> {
  const tenantId = crypto.randomUUID();
  const eventId = crypto.randomUUID();
  const ticketTypeId = crypto.randomUUID();
  const orderId = crypto.randomUUID();
  const userId = crypto.randomUUID();
  const ticketIds = Array.from({ length: count }, () => crypto.randomUUID());
  const atMs = 1_790_000_000_000;
  const times = { createdAtMs: atMs, updatedAtMs: atMs };
  await db.insert(events).values({
    id: eventId,
    tenantId,
    name: EVENT_NAME,
    startsAtMs: atMs,
    endsAtMs: atMs + 1,
    timezone: "UTC",
    currency: "EUR",
    ...times,
  });
  await db.insert(ticketTypes).values({
    ...times,
    id: ticketTypeId,
    tenantId,
    eventId,
    number: 1,
    name: TYPE_NAME,
    priceCents: 100,
    quantity: 1000,
    minPerOrder: 1,
    maxPerOrder: 1000,
    reservationTtlSeconds: 600,
    transferable: true,
    feeCents: 0,
    taxRateBps: 0,
    status: "ACTIVE",
  });
  await db.insert(orders).values({
    id: orderId,
    tenantId,
    orderNumber: orderId,
    userId,
    eventId,
    status: "AWAITING_MINT",
    currency: "EUR",
    subtotalCents: 100 * count,
    discountCents: 0,
    feeCents: 0,
    taxCents: 0,
    totalCents: 100 * count,
    reservationId: crypto.randomUUID(),
    holdExpiresAtMs: atMs,
    createdAtMs: atMs,
    seq: 1,
  });
  await db.insert(orderItems).values({
    orderId,
    lineNumber: 1,
    tenantId,
    ticketTypeId,
    name: TYPE_NAME,
    quantity: count,
    unitPriceCents: 100,
    discountCents: 0,
    feeCents: 0,
    taxCents: 0,
    totalCents: 100 * count,
  });
  for (const id of ticketIds) {
    await db.insert(tickets).values({
      id,
      tenantId,
      eventId,
      ticketTypeId,
      orderId,
      ownerUserId: userId,
      status: "SOLD",
      credentialEpoch: 0,
      createdAtMs: atMs,
    });
    await db
      .insert(mintJobs)
      .values({ ticketId: id, tenantId, eventId, status: "QUEUED", queuedAtMs: atMs, updatedAtMs: atMs });
  }
  return { tenantId, eventId, orderId, userId, ticketIds };
}
