import { and, eq, inArray, ne, notExists, or, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { events, ticketTypes } from "./schema.ts";

/** An event as D1 holds it. Times are Unix milliseconds. */
export type EventRow = typeof events.$inferSelect;

/** What an organiser says of an event. Times are Unix milliseconds; `timezone` is an IANA name, `currency` ISO 4217. */
export interface EventFields {
  readonly name: string;
  readonly venueName: string | null;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly timezone: string;
  readonly currency: string;
}

/** Stores a new event. @throws what D1 throws, also when the id exists. */
export async function insertEventRow(
  db: DrizzleD1Database,
  identity: { readonly id: string; readonly tenantId: string },
  fields: EventFields,
  nowMs: number,
): Promise<EventRow> {
  const onChain = { collectionAddress: null, frozenCollectionAddress: null };
  const row = { ...identity, ...fields, ...onChain, createdAtMs: nowMs, updatedAtMs: nowMs };
  await db.insert(events).values(row);
  return row;
}

/** The tenant's event, never from a cache. */
export async function findEventRow(db: DrizzleD1Database, tenantId: string, eventId: string): Promise<EventRow | undefined> {
  const [row] = await db
    .select()
    .from(events)
    .where(and(eq(events.id, eventId), eq(events.tenantId, tenantId)));
  return row;
}

/**
 * Changes the tenant's event, in one statement with its conditions: the currency stays once a ticket type has a price in it.
 * @returns the event as it is now; undefined when there is none, or when the currency would change under a price.
 */
export async function updateEventRow(
  db: DrizzleD1Database,
  identity: { readonly id: string; readonly tenantId: string },
  fields: EventFields,
  nowMs: number,
): Promise<EventRow | undefined> {
  const { id, tenantId } = identity;
  const priced = db
    .select({ one: sql`1` })
    .from(ticketTypes)
    .where(eq(ticketTypes.eventId, id));
  const [row] = await db
    .update(events)
    .set({ ...fields, updatedAtMs: nowMs })
    .where(and(eq(events.id, id), eq(events.tenantId, tenantId), or(eq(events.currency, fields.currency), notExists(priced))))
    .returning();
  return row;
}

/** Those of the events of other tenants that have one of these collections. */
export async function listForeignCollections(
  db: DrizzleD1Database,
  tenantId: string,
  addresses: readonly string[],
): Promise<(string | null)[]> {
  const { collectionAddress, frozenCollectionAddress } = events;
  const rows = await db
    .select({ collectionAddress, frozenCollectionAddress })
    .from(events)
    .where(
      and(
        ne(events.tenantId, tenantId),
        or(inArray(collectionAddress, [...addresses]), inArray(frozenCollectionAddress, [...addresses])),
      ),
    );
  return rows.flatMap((row) => [row.collectionAddress, row.frozenCollectionAddress]);
}

/** Names the collections that the event's tickets join. */
export async function storeCollections(
  db: DrizzleD1Database,
  { id, tenantId }: { readonly id: string; readonly tenantId: string },
  collections: { readonly collectionAddress: string | null; readonly frozenCollectionAddress: string | null },
  nowMs: number,
): Promise<void> {
  await db
    .update(events)
    .set({ ...collections, updatedAtMs: nowMs })
    .where(and(eq(events.id, id), eq(events.tenantId, tenantId)));
}

/** Remembers the collection that was found for such tickets of the event. It is the same address every time, so the last writer does no harm. */
export async function storeCollectionAddress(
  db: DrizzleD1Database,
  event: { readonly tenantId: string; readonly eventId: string; readonly isTransferable: boolean },
  address: string,
  nowMs: number,
): Promise<void> {
  const found = event.isTransferable ? { collectionAddress: address } : { frozenCollectionAddress: address };
  await db
    .update(events)
    .set({ ...found, updatedAtMs: nowMs })
    .where(and(eq(events.id, event.eventId), eq(events.tenantId, event.tenantId)));
}
