import type { DrizzleD1Database } from "drizzle-orm/d1";
import { deriveIdWithin } from "#domain/ids";
import { events, mintJobs, orderItems, orders, ticketTypes, tickets } from "#storage/schema";

/** Name of the event whose tickets are sold. */
export const EVENT_NAME = "Night of the Lamps";
/** Name of the ticket type. */
export const TYPE_NAME = "Standing";

/** Tickets of one order, sold and waiting to be minted. */
export interface SoldTickets {
  readonly tenantId: string;
  readonly eventId: string;
  readonly ticketTypeId: string;
  readonly orderId: string;
  readonly userId: string;
  readonly ticketIds: readonly string[];
}

/** What of an order may differ. */
interface OrderDetails {
  readonly count: number;
  /** An order whose event and ticket type these are too; left out, both are new, and so is the tenant. */
  readonly of?: SoldTickets | undefined;
  /** The wallet of each ticket's owner, if any. */
  readonly walletOf?: (place: number) => string | null;
}

/** When everything here was made, Unix milliseconds. */
export const SOLD_AT_MS = 1_790_000_000_000;
const TIMES = { createdAtMs: SOLD_AT_MS, updatedAtMs: SOLD_AT_MS };

/** Sells `count` tickets of a new tenant's event in one order, as the desk's projection leaves them: each with a QUEUED mint job. */
export function sellTickets(db: DrizzleD1Database, count: number): Promise<SoldTickets> {
  return sellOrder(db, { count });
}

/** As {@link sellTickets}, and more can be said of the order. */
export async function sellOrder(db: DrizzleD1Database, { count, of, walletOf }: OrderDetails): Promise<SoldTickets> {
  const orderId = crypto.randomUUID();
  const sold: SoldTickets = {
    tenantId: of?.tenantId ?? crypto.randomUUID(),
    eventId: of?.eventId ?? crypto.randomUUID(),
    ticketTypeId: of?.ticketTypeId ?? crypto.randomUUID(),
    orderId,
    userId: crypto.randomUUID(),
    ticketIds: Array.from({ length: count }, (_, place) => deriveIdWithin(orderId, [String(place)])),
  };
  if (of === undefined) await insertEvent(db, sold);
  await insertOrder(db, sold);
  const { tenantId, eventId, ticketTypeId, userId } = sold;
  for (const [place, id] of sold.ticketIds.entries()) {
    const ticket = { id, tenantId, eventId, ticketTypeId, orderId, ownerUserId: userId, walletAddress: walletOf?.(place) };
    const job = { ticketId: id, tenantId, eventId, queuedAtMs: SOLD_AT_MS, updatedAtMs: SOLD_AT_MS };
    await db.batch([
      db.insert(tickets).values({ ...ticket, status: "SOLD", credentialEpoch: 0, createdAtMs: SOLD_AT_MS }),
      db.insert(mintJobs).values({ ...job, status: "QUEUED" }),
    ]);
  }
  return sold;
}

async function insertEvent(db: DrizzleD1Database, { tenantId, eventId, ticketTypeId }: SoldTickets): Promise<void> {
  const when = { startsAtMs: SOLD_AT_MS, endsAtMs: SOLD_AT_MS + 1, timezone: "UTC" };
  await db.insert(events).values({ id: eventId, tenantId, name: EVENT_NAME, ...when, currency: "EUR", ...TIMES });
  await db.insert(ticketTypes).values({
    ...TIMES,
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
}

async function insertOrder(db: DrizzleD1Database, sold: SoldTickets): Promise<void> {
  const { tenantId, eventId, ticketTypeId, orderId, userId } = sold;
  const quantity = sold.ticketIds.length;
  const money = { discountCents: 0, feeCents: 0, taxCents: 0, totalCents: 100 * quantity };
  await db.insert(orders).values({
    id: orderId,
    tenantId,
    orderNumber: orderId,
    userId,
    eventId,
    status: "AWAITING_MINT",
    currency: "EUR",
    subtotalCents: 100 * quantity,
    ...money,
    reservationId: crypto.randomUUID(),
    holdExpiresAtMs: SOLD_AT_MS,
    createdAtMs: SOLD_AT_MS,
    seq: 1,
  });
  const line = { orderId, lineNumber: 1, tenantId, ticketTypeId, name: TYPE_NAME, quantity, unitPriceCents: 100 };
  await db.insert(orderItems).values({ ...line, ...money });
}
