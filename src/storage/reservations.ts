import type { InventorySnapshot } from "#domain/inventory-messages";
import type { ReservationStatus } from "#domain/statuses";
import { isD1ConstraintError } from "./d1-errors.ts";
import type { Row } from "./json-chunks.ts";

/** A change of a reservation as its inventory tells the world. `quantity` is the line's, `changedQuantity` what it is about. */
export interface ReservationNews {
  /** Number in the history of the ticket type: each occurs once, with no gap. */
  readonly seq: number;
  readonly reservationId: string;
  readonly userId: string;
  readonly quantity: number;
  readonly changedQuantity: number;
  /** Of a sale, how many tickets are back on sale after this change. */
  readonly restockedQuantity: number;
  readonly status: ReservationStatus;
  readonly orderId: string | null;
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
  readonly actor: string;
  readonly cause: string;
  readonly atMs: number;
}

/** What one delivery of an inventory brings to D1. */
export interface InventoryNews {
  readonly tenantId: string;
  readonly eventId: string;
  readonly ticketTypeId: string;
  readonly changes: readonly ReservationNews[];
  /** Stock at the moment of delivery; it may be ahead of `changes`. */
  readonly snapshot: InventorySnapshot;
}

const UPSERT_RESERVATIONS = `
  INSERT INTO reservations
    (ticket_type_id, tenant_id, event_id, id, user_id, quantity, status, order_id, expires_at_ms, created_at_ms, seq,
     restocked_quantity)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
    value ->> 9, value ->> 10, value ->> 11
  FROM json_each(?1) WHERE true
  ON CONFLICT (ticket_type_id, created_at_ms, id) DO UPDATE
    SET status = excluded.status, order_id = excluded.order_id, expires_at_ms = excluded.expires_at_ms, seq = excluded.seq,
      restocked_quantity = excluded.restocked_quantity
    WHERE excluded.seq > reservations.seq`;

function toReservationRow({ ticketTypeId, tenantId, eventId }: InventoryNews, change: ReservationNews): Row {
  const { reservationId, userId, quantity, status, orderId, expiresAtMs, createdAtMs, seq, restockedQuantity } = change;
  const line = [reservationId, userId, quantity, status, orderId, expiresAtMs, createdAtMs, seq, restockedQuantity];
  return [ticketTypeId, tenantId, eventId, ...line];
}

const INSERT_HISTORY = `
  INSERT INTO reservation_history (ticket_type_id, tenant_id, seq, reservation_id, status, quantity, actor, cause, at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
  FROM json_each(?1) WHERE true
  ON CONFLICT (ticket_type_id, seq) DO NOTHING`;

function toHistoryRow({ ticketTypeId, tenantId }: InventoryNews, change: ReservationNews): Row {
  const { seq, reservationId, status, changedQuantity, actor, cause, atMs } = change;
  return [ticketTypeId, tenantId, seq, reservationId, status, changedQuantity, actor, cause, atMs];
}

const UPDATE_COUNTERS = `
  UPDATE ticket_types SET quantity = news.value ->> 2, held_count = news.value ->> 3, sold_count = news.value ->> 4,
    counters_seq = news.value ->> 5
  FROM json_each(?1) AS news
  WHERE ticket_types.id = news.value ->> 0 AND tenant_id = news.value ->> 1 AND counters_seq < news.value ->> 5`;

function toCounterRow({ ticketTypeId, tenantId, snapshot }: InventoryNews): Row {
  const { capacity, heldCount, soldCount, seq } = snapshot;
  return [ticketTypeId, tenantId, capacity, heldCount, soldCount, seq];
}

const FIND_TYPES = `
  SELECT ticket_types.id FROM json_each(?1) AS news
  CROSS JOIN ticket_types ON ticket_types.id = news.value ->> 0 AND tenant_id = news.value ->> 1`;

/** The items that are the newest of their key: what older ones would write is overwritten at once. */
function keepNewest<Item>(items: readonly Item[], keyOf: (item: Item) => string, seqOf: (item: Item) => number): Item[] {
  const newest = new Map<string, Item>();
  for (const item of items) {
    const known = newest.get(keyOf(item));
    if (!known || seqOf(known) < seqOf(item)) newest.set(keyOf(item), item);
  }
  return [...newest.values()];
}

/**
 * Brings the news of inventories to D1 in one transaction and one round trip: reservations, their history, and the counters of
 * the ticket types. Every row is guarded by its `seq`, so news that come twice or late change nothing.
 * @returns by position, false where D1 does not have the ticket type yet: tell it again later.
 * @throws what D1 throws; a broken constraint means that a row is wrong or that a ticket type is not there yet.
 */
export async function projectInventories(db: D1Database, news: readonly InventoryNews[]): Promise<readonly boolean[]> {
  const reservations = news.flatMap((of) =>
    keepNewest(
      of.changes,
      (change) => change.reservationId,
      (change) => change.seq,
    ).map((change) => toReservationRow(of, change)),
  );
  const history = news.flatMap((of) => of.changes.map((change) => toHistoryRow(of, change)));
  const counters = keepNewest(
    news,
    (of) => of.ticketTypeId,
    (of) => of.snapshot.seq,
  ).map(toCounterRow);
  const statements = [
    ...(history.length === 0 ? [] : [bindRows(db, UPSERT_RESERVATIONS, reservations), bindRows(db, INSERT_HISTORY, history)]),
    bindRows(db, UPDATE_COUNTERS, counters),
    bindRows(db, FIND_TYPES, counters),
  ];
  const results = await db.batch<{ id: string }>(statements);
  const found = new Set(results.at(-1)?.results.map((row) => row.id));
  return news.map((of) => found.has(of.ticketTypeId));
}

function bindRows(db: D1Database, statement: string, rows: readonly Row[]): D1PreparedStatement {
  return db.prepare(statement).bind(JSON.stringify(rows));
}

/**
 * The same for one inventory. Without the ticket type D1 would refuse its rows one by one, so that is told like any other absence
 * of it, and all of them wait in order.
 */
export async function projectInventory(db: D1Database, news: InventoryNews): Promise<boolean> {
  try {
    return (await projectInventories(db, [news]))[0] ?? false;
  } catch (error) {
    if (!isD1ConstraintError(error)) throw error;
    const found = await bindRows(db, FIND_TYPES, [toCounterRow(news)]).all();
    if (found.results.length === 0) return false;
    throw error;
  }
}
