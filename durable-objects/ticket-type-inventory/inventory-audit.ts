import type { LineStatus } from "#domain/inventory";
import type { InventoryLine, ReservationMade } from "#domain/upkeep-messages";

type LineRow = {
  reservationId: string;
  userId: string;
  quantity: number;
  restockedQuantity: number;
  status: string;
  orderId: string | null;
  expiresAtMs: number;
  createdAtMs: number;
  position: number;
};

/** Reservations with untold changes that are still named one by one. */
const MOST_NAMED = 5_000;

const LIST_LINES = `
  SELECT position, reservation_id AS reservationId, user_id AS userId, quantity, restocked_quantity AS restockedQuantity, status,
    order_id AS orderId, expires_at_ms AS expiresAtMs, created_at_ms AS createdAtMs
  FROM reservations WHERE position > ? ORDER BY position LIMIT ?`;

const LIST_WAITING = `
  SELECT body ->> 'reservationId' AS reservationId FROM outbox WHERE topic = ? LIMIT ${MOST_NAMED + 1}`;

const FIND_UNKNOWN = `
  SELECT key AS place FROM json_each(?) AS asked WHERE NOT EXISTS (
    SELECT 1 FROM reservations WHERE reservation_id = asked.value ->> 0 AND created_at_ms = asked.value ->> 1)`;

function toLine(row: LineRow): InventoryLine {
  const { reservationId, userId, quantity, restockedQuantity, orderId, expiresAtMs, createdAtMs } = row;
  const status = row.status as LineStatus; // held to these words by the table's CHECK
  return { reservationId, userId, quantity, restockedQuantity, status, orderId, expiresAtMs, createdAtMs };
}

/** Reads of an inventory's SQLite for those who compare D1 with it. */
export class InventoryAudit {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Lines after a position, and where the page after them starts (null: nowhere). */
  listLines(afterPosition: number, limit: number): { lines: InventoryLine[]; nextPosition: number | null } {
    const rows = this.#sql.exec<LineRow>(LIST_LINES, afterPosition, limit).toArray();
    const lines = rows.map((row) => toLine(row));
    return { lines, nextPosition: rows.length < limit ? null : (rows.at(-1)?.position ?? null) };
  }

  /** Reservations with changes under `topic` that wait in the outbox, each once; null when there are too many. */
  listWaitingIds(topic: string): string[] | null {
    const rows = this.#sql.exec<{ reservationId: string }>(LIST_WAITING, topic).toArray();
    return rows.length > MOST_NAMED ? null : [...new Set(rows.map((row) => row.reservationId))];
  }

  /** Places in the list of those that were never made here, or not then. */
  findUnknown(reservations: readonly ReservationMade[]): number[] {
    const asked = JSON.stringify(reservations.map(({ reservationId, createdAtMs }) => [reservationId, createdAtMs]));
    return this.#sql
      .exec<{ place: number }>(FIND_UNKNOWN, asked)
      .toArray()
      .map((row) => row.place);
  }
}
