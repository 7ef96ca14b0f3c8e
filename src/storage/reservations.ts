import type { InventorySnapshot } from "#domain/inventory-messages";
import type { ReservationStatus } from "#domain/statuses";

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
    (id, ticket_type_id, tenant_id, event_id, user_id, quantity, status, order_id, expires_at_ms, created_at_ms, seq,
     restocked_quantity)
  SELECT value ->> 0, ?2, ?3, ?4, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
  FROM json_each(?1) WHERE true
  ON CONFLICT (ticket_type_id, created_at_ms, id) DO UPDATE
    SET status = excluded.status, order_id = excluded.order_id, expires_at_ms = excluded.expires_at_ms, seq = excluded.seq,
      restocked_quantity = excluded.restocked_quantity
    WHERE excluded.seq > reservations.seq`;

function toReservationRow(change: ReservationNews): (string | number | null)[] {
  const { reservationId, userId, quantity, status, orderId, expiresAtMs, createdAtMs, seq, restockedQuantity } = change;
  return [reservationId, userId, quantity, status, orderId, expiresAtMs, createdAtMs, seq, restockedQuantity];
}

const INSERT_HISTORY = `
  INSERT INTO reservation_history (ticket_type_id, seq, tenant_id, reservation_id, status, quantity, actor, cause, at_ms)
  SELECT ?2, value ->> 0, ?3, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
  FROM json_each(?1) WHERE true
  ON CONFLICT (ticket_type_id, seq) DO NOTHING`;

function toHistoryRow(change: ReservationNews): (string | number)[] {
  const { seq, reservationId, status, changedQuantity, actor, cause, atMs } = change;
  return [seq, reservationId, status, changedQuantity, actor, cause, atMs];
}

const UPDATE_COUNTERS = `
  UPDATE ticket_types SET quantity = ?2, held_count = ?3, sold_count = ?4, counters_seq = ?5
  WHERE id = ?1 AND tenant_id = ?6 AND counters_seq < ?5`;

const FIND_TYPE = "SELECT 1 FROM ticket_types WHERE id = ?1 AND tenant_id = ?2";

/** Only the last change of each reservation: the rows between would be written and overwritten at once. */
function keepLast(changes: readonly ReservationNews[]): ReservationNews[] {
  const last = new Map<string, ReservationNews>();
  for (const change of changes) {
    const known = last.get(change.reservationId);
    if (!known || known.seq < change.seq) last.set(change.reservationId, change);
  }
  return [...last.values()];
}

/**
 * Brings an inventory's news to D1 in one transaction and one round trip: reservations, their history, and the counters of
 * the ticket type. Every row is guarded by its `seq`, so news that come twice or late change nothing.
 * @returns false, with nothing but the counters missing, when D1 does not have the ticket type yet: tell it again later.
 * @throws what D1 throws; a broken constraint means that a row is wrong or that the ticket type is not there yet.
 */
export async function projectInventory(db: D1Database, news: InventoryNews): Promise<boolean> {
  const { tenantId, eventId, ticketTypeId, changes, snapshot } = news;
  const { capacity, heldCount, soldCount, seq } = snapshot;
  const statements = [
    db.prepare(UPDATE_COUNTERS).bind(ticketTypeId, capacity, heldCount, soldCount, seq, tenantId),
    db.prepare(FIND_TYPE).bind(ticketTypeId, tenantId),
  ];
  if (changes.length > 0) {
    statements.unshift(
      db
        .prepare(UPSERT_RESERVATIONS)
        .bind(JSON.stringify(keepLast(changes).map(toReservationRow)), ticketTypeId, tenantId, eventId),
      db.prepare(INSERT_HISTORY).bind(JSON.stringify(changes.map(toHistoryRow)), ticketTypeId, tenantId),
    );
  }
  const results = await db.batch(statements);
  return (results.at(-1)?.results.length ?? 0) > 0;
}

/** True when D1 has the ticket type, so that its reservations can refer to it. */
export async function hasTicketType(db: D1Database, tenantId: string, ticketTypeId: string): Promise<boolean> {
  return (await db.prepare(FIND_TYPE).bind(ticketTypeId, tenantId).first()) !== null;
}
