import type { InventorySnapshot } from "#domain/inventory-messages";
import type { InventoryLine } from "#domain/upkeep-messages";
import { BY_TYPE_AND_AGE, RESERVATIONS_AFTER, type ReservationKey } from "./reservation-keys.ts";

/** A ticket type with the counters that D1 holds of it. */
export interface StoredCounters {
  readonly ticketTypeId: string;
  readonly eventId: string;
  readonly quantity: number;
  readonly heldCount: number;
  readonly soldCount: number;
  readonly countersSeq: number;
}

/** Which ticket types are meant: all of the tenant, those of one event, or one. */
export interface TypeSelection {
  readonly tenantId: string;
  readonly eventId: string | null;
  readonly ticketTypeId: string | null;
}

/** A row of `reservations` by its key, at the number it has. */
export interface StoredKey extends ReservationKey {
  readonly seq: number;
}

/** Whose lines a page holds. */
export interface PageOwner {
  readonly tenantId: string;
  readonly eventId: string;
  readonly ticketTypeId: string;
  /** The page is true as of this number of the inventory's history. */
  readonly historySeq: number;
}

/** A reservation that D1 holds wrongly or not at all. */
export interface Difference {
  readonly reservationId: string;
  readonly kind: "missing" | "stale";
}

const FIND_NEXT_TYPE = `
  SELECT id AS ticketTypeId, event_id AS eventId, quantity, held_count AS heldCount, sold_count AS soldCount,
    counters_seq AS countersSeq
  FROM ticket_types WHERE tenant_id = ?1 AND id > ?2 AND (?3 IS NULL OR event_id = ?3) AND (?4 IS NULL OR id = ?4)
  ORDER BY id LIMIT 1`;

const LIST_KEYS = `
  SELECT ticket_type_id AS ticketTypeId, reservations.created_at_ms AS createdAtMs, reservations.id AS reservationId, seq
  FROM ${RESERVATIONS_AFTER} AND (?5 IS NULL OR ticket_types.event_id = ?5) AND (?6 IS NULL OR ticket_types.id = ?6)
  ORDER BY ${BY_TYPE_AND_AGE} LIMIT ?7`;

/** `seq` 0 marks a row that was ahead of its inventory. */
const LIST_DIFFERENCES = `
  SELECT line.value ->> 'reservationId' AS reservationId, CASE WHEN r.id IS NULL THEN 'missing' ELSE 'stale' END AS kind
  FROM json_each(?1) AS line
  LEFT JOIN reservations AS r ON r.ticket_type_id = ?2 AND r.created_at_ms = line.value ->> 'createdAtMs'
    AND r.id = line.value ->> 'reservationId'
  WHERE r.id IS NULL OR r.seq = 0 OR (r.seq <= ?3 AND (r.status, r.order_id, r.user_id, r.quantity, r.restocked_quantity,
      r.expires_at_ms, r.tenant_id, r.event_id) IS NOT
    (line.value ->> 'status', line.value ->> 'orderId', line.value ->> 'userId', line.value ->> 'quantity',
      line.value ->> 'restockedQuantity', line.value ->> 'expiresAtMs', ?4, ?5))`;

const REPAIR_RESERVATIONS = `
  INSERT INTO reservations (id, ticket_type_id, seq, tenant_id, event_id, user_id, quantity, restocked_quantity, status, order_id,
    expires_at_ms, created_at_ms)
  SELECT value ->> 'reservationId', ?2, ?3, ?4, ?5, value ->> 'userId', value ->> 'quantity', value ->> 'restockedQuantity',
    value ->> 'status', value ->> 'orderId', value ->> 'expiresAtMs', value ->> 'createdAtMs'
  FROM json_each(?1) WHERE true
  ON CONFLICT (ticket_type_id, created_at_ms, id) DO UPDATE SET seq = excluded.seq, tenant_id = excluded.tenant_id, event_id = excluded.event_id,
    user_id = excluded.user_id, quantity = excluded.quantity, restocked_quantity = excluded.restocked_quantity,
    status = excluded.status, order_id = excluded.order_id, expires_at_ms = excluded.expires_at_ms
    WHERE reservations.seq <= excluded.seq`;

const ARE_AS_READ = `(ticket_type_id, created_at_ms, id, seq) IN (
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1))`;

const DELETE_ROWS = `DELETE FROM reservations WHERE ${ARE_AS_READ}`;

const MARK_AHEAD = `UPDATE reservations SET seq = 0 WHERE ${ARE_AS_READ}`;

const REPAIR_COUNTERS = `
  UPDATE ticket_types SET quantity = ?2, held_count = ?3, sold_count = ?4, counters_seq = ?5
  WHERE id = ?1 AND tenant_id = ?6 AND counters_seq = ?7`;

/** The selection's first type after `afterTypeId` by id, with its counters now; undefined after the last. */
export async function findNextType(
  db: D1Database,
  { tenantId, eventId, ticketTypeId }: TypeSelection,
  afterTypeId: string,
): Promise<StoredCounters | undefined> {
  const row = await db.prepare(FIND_NEXT_TYPE).bind(tenantId, afterTypeId, eventId, ticketTypeId).first<StoredCounters>();
  return row ?? undefined;
}

/** Keys of the selection's reservations in D1, by key; they start after one. */
export async function listReservationKeys(
  db: D1Database,
  { tenantId, eventId, ticketTypeId }: TypeSelection,
  after: ReservationKey,
  limit: number,
): Promise<readonly StoredKey[]> {
  const key = [after.ticketTypeId, after.createdAtMs, after.reservationId];
  const statement = db.prepare(LIST_KEYS).bind(...key, tenantId, eventId, ticketTypeId, limit);
  return (await statement.all<StoredKey>()).results;
}

/** What D1 holds wrongly of these lines. A row that has moved past the page's number is left out: it is newer. */
export async function listReservationDifferences(
  db: D1Database,
  owner: PageOwner,
  lines: readonly InventoryLine[],
): Promise<readonly Difference[]> {
  const statement = bindPage(db, LIST_DIFFERENCES, owner, lines);
  return (await statement.all<Difference>()).results;
}

/** Makes D1's rows of these lines say what the lines say. A row that has moved past the page's number keeps what it has. */
export async function repairReservations(db: D1Database, owner: PageOwner, lines: readonly InventoryLine[]): Promise<void> {
  await bindPage(db, REPAIR_RESERVATIONS, owner, lines).run();
}

function bindPage(db: D1Database, sql: string, owner: PageOwner, lines: readonly InventoryLine[]): D1PreparedStatement {
  const { tenantId, eventId, ticketTypeId, historySeq } = owner;
  return db.prepare(sql).bind(JSON.stringify(lines), ticketTypeId, historySeq, tenantId, eventId);
}

/** Deletes rows that are still as they were read. */
export async function deleteReservationRows(db: D1Database, rows: readonly StoredKey[]): Promise<void> {
  await bindKeys(db, DELETE_ROWS, rows).run();
}

/** Lets rows with a number that their inventory never gave be written again; those that have changed meanwhile stay. */
export async function markReservationsAhead(db: D1Database, rows: readonly StoredKey[]): Promise<void> {
  await bindKeys(db, MARK_AHEAD, rows).run();
}

function bindKeys(db: D1Database, sql: string, rows: readonly StoredKey[]): D1PreparedStatement {
  return db
    .prepare(sql)
    .bind(JSON.stringify(rows.map((row) => [row.ticketTypeId, row.createdAtMs, row.reservationId, row.seq])));
}

/** Puts a type's counters right if nobody has since they were read. @returns false when somebody has. */
export async function repairCounters(
  db: D1Database,
  tenantId: string,
  stored: StoredCounters,
  { capacity, heldCount, soldCount, seq }: InventorySnapshot,
): Promise<boolean> {
  const { ticketTypeId, countersSeq } = stored;
  const statement = db.prepare(REPAIR_COUNTERS).bind(ticketTypeId, capacity, heldCount, soldCount, seq, tenantId, countersSeq);
  return (await statement.run()).meta.changes > 0;
}
