import { and, asc, eq, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { EventRow } from "./events.ts";
import { events, ticketTypes } from "./schema.ts";

/** A ticket type as D1 holds it. Times are Unix milliseconds; the counters are a projection and may be a second old. */
export type TicketTypeRow = typeof ticketTypes.$inferSelect;

/** What an organiser says of a ticket type, its stock aside: that is its inventory's. */
export type TicketTypeFields = Pick<
  TicketTypeRow,
  | "name"
  | "description"
  | "priceCents"
  | "saleStartsAtMs"
  | "saleEndsAtMs"
  | "minPerOrder"
  | "maxPerOrder"
  | "maxPerUser"
  | "reservationTtlSeconds"
  | "transferable"
  | "feeCents"
  | "taxRateBps"
>;

/** An event with all its ticket types, archived ones too, by number. */
export interface EventWithTypes {
  readonly event: EventRow;
  readonly types: readonly TicketTypeRow[];
}

/** The event with its types, in one round trip. */
export function findEventWithTypes(db: DrizzleD1Database, eventId: string): Promise<EventWithTypes | undefined> {
  return readEventWithTypes(db, sql`${eventId}`);
}

/** The event that a ticket type belongs to with all its types, in one round trip. */
export function findEventWithTypesOf(db: DrizzleD1Database, ticketTypeId: string): Promise<EventWithTypes | undefined> {
  return readEventWithTypes(db, sql`(SELECT event_id FROM ticket_types WHERE id = ${ticketTypeId})`);
}

async function readEventWithTypes(db: DrizzleD1Database, eventId: SQL): Promise<EventWithTypes | undefined> {
  const [[event], types] = await db.batch([
    db.select().from(events).where(eq(events.id, eventId)),
    db.select().from(ticketTypes).where(eq(ticketTypes.eventId, eventId)).orderBy(asc(ticketTypes.number)),
  ]);
  return event && { event, types };
}

/** The tenant's ticket type, never from a cache. */
export async function findTicketTypeRow(
  db: DrizzleD1Database,
  tenantId: string,
  ticketTypeId: string,
): Promise<TicketTypeRow | undefined> {
  const [row] = await db
    .select()
    .from(ticketTypes)
    .where(and(eq(ticketTypes.id, ticketTypeId), eq(ticketTypes.tenantId, tenantId)));
  return row;
}

/**
 * Stores a new ticket type under the event's next free number. The number is chosen inside the INSERT, and D1 has one writer,
 * so two types made at once never get the same one.
 * @param row.quantity Only the first value: from here on the inventory's projection owns it and the counters.
 */
export async function insertTicketTypeRow(
  db: DrizzleD1Database,
  row: TicketTypeFields & Pick<TicketTypeRow, "id" | "tenantId" | "eventId" | "quantity">,
  nowMs: number,
): Promise<TicketTypeRow> {
  const nextNumber = sql<number>`(SELECT coalesce(max(number), 0) + 1 FROM ticket_types WHERE event_id = ${row.eventId})`;
  const [stored] = await db
    .insert(ticketTypes)
    .values({ ...row, number: nextNumber, status: "ACTIVE", createdAtMs: nowMs, updatedAtMs: nowMs })
    .returning();
  if (!stored) throw new Error("broken invariant: an INSERT that succeeds returns its row");
  return stored;
}

/**
 * Changes a ticket type if nobody else has since `before` was read; `updatedAtMs` tells, and always grows.
 * The quantity and the counters are left alone: they follow the inventory's own numbering.
 * @returns the type as it is now; undefined when it has changed meanwhile: read it again and decide anew.
 */
export async function replaceTicketTypeRow(
  db: DrizzleD1Database,
  before: TicketTypeRow,
  change: TicketTypeFields & Pick<TicketTypeRow, "status">,
  nowMs: number,
): Promise<TicketTypeRow | undefined> {
  const { id, tenantId, updatedAtMs } = before;
  const isUnchanged = and(eq(ticketTypes.id, id), eq(ticketTypes.tenantId, tenantId), eq(ticketTypes.updatedAtMs, updatedAtMs));
  const [row] = await db
    .update(ticketTypes)
    .set({ ...change, updatedAtMs: Math.max(nowMs, updatedAtMs + 1) })
    .where(isUnchanged)
    .returning();
  return row;
}
