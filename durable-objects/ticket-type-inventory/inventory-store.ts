import { restockKey, type GroupFacts, type GroupResult, type InventoryCommand } from "#domain/inventory-group";
import type { LineStatus, ReservationLine } from "#domain/inventory";
import type { InventoryConfig } from "#domain/inventory-messages";
import { InventoryState } from "#domain/inventory-state";
import { insertRows, type Row } from "../insert-rows.ts";

/** Expiries reported by one commit at most: few, because a commit holds up the buyers behind it. */
const SWEPT_PER_COMMIT = 50;
/** Rows looked at by one commit to move `settled_position` on. */
const SETTLED_PER_COMMIT = 2_000;

type LineRow = {
  reservation_id: string;
  user_id: string;
  quantity: number;
  restocked_quantity: number;
  status: string;
  expires_at_ms: number;
  order_id: string | null;
  retaken: number;
  created_at_ms: number;
};

const LINE_COLUMNS = `reservation_id, user_id, quantity, restocked_quantity, status, expires_at_ms, order_id, retaken, created_at_ms`;

const FIND_LINES = `
  SELECT ${LINE_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN reservations ON reservation_id = wanted.value`;

const FIND_EXPIRED = `
  SELECT ${LINE_COLUMNS} FROM reservations WHERE position > ? AND status = 'ACTIVE' AND expires_at_ms <= ? ORDER BY position LIMIT ?`;

const COUNT_BY_USER = `
  SELECT user_id, SUM(CASE WHEN status = 'COMPLETED' THEN quantity - restocked_quantity ELSE quantity END) AS committed
  FROM json_each(?1) AS wanted CROSS JOIN reservations ON user_id = wanted.value
  WHERE status = 'COMPLETED' OR (status = 'ACTIVE' AND expires_at_ms > ?2) GROUP BY user_id`;

const FIND_RESTOCKS = `
  SELECT command_id AS commandId, reservation_id AS reservationId FROM json_each(?) AS wanted
  CROSS JOIN restocks ON reservation_id = wanted.value ->> 0 AND command_id = wanted.value ->> 1`;

const INTO_LINES = `INSERT INTO reservations (${LINE_COLUMNS})`;
const CHANGE_LINE = `
  ON CONFLICT (reservation_id) DO UPDATE SET restocked_quantity = excluded.restocked_quantity, status = excluded.status,
    order_id = excluded.order_id, retaken = excluded.retaken`;

/** Stops at the first line that is not settled: of a hundred thousand to sweep, each commit settles only a few more. */
const FIND_SETTLED = `
  SELECT COALESCE(
    (SELECT position - 1 FROM reservations WHERE position > ?1 AND position <= ?1 + ?2 AND status = 'ACTIVE' ORDER BY position LIMIT 1),
    (SELECT MAX(position) FROM reservations WHERE position > ?1 AND position <= ?1 + ?2)) AS position`;

const UPSERT_COUNTERS = `
  INSERT INTO counters (only_row, sold_count, seq, history_seq, clock_ms, settled_position) VALUES (1, ?, ?, ?, ?, ?)
  ON CONFLICT (only_row) DO UPDATE SET sold_count = excluded.sold_count, seq = excluded.seq, history_seq = excluded.history_seq,
    clock_ms = excluded.clock_ms, settled_position = excluded.settled_position`;

/** Made only where a maximum per user asks for it: each index row is billed. */
const INDEX_BY_USER = "CREATE INDEX IF NOT EXISTS reservations_by_user ON reservations (user_id)";

function toLine(row: LineRow): ReservationLine {
  return {
    reservationId: row.reservation_id,
    userId: row.user_id,
    quantity: row.quantity,
    restockedQuantity: row.restocked_quantity,
    status: row.status as LineStatus, // held to these words by the table's CHECK
    expiresAtMs: row.expires_at_ms,
    orderId: row.order_id,
    retaken: row.retaken === 1,
    createdAtMs: row.created_at_ms,
  };
}

function toValues(line: ReservationLine): Row {
  return [
    line.reservationId,
    line.userId,
    line.quantity,
    line.restockedQuantity,
    line.status,
    line.expiresAtMs,
    line.orderId,
    line.retaken ? 1 : 0,
    line.createdAtMs,
  ];
}

/** The SQL of `TicketTypeInventory`: a few statements for a whole group of commands, however large. */
export class InventoryStore {
  readonly #sql: SqlStorage;
  #settledPosition = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Builds the state from storage; undefined when the inventory was never configured. */
  load(): InventoryState | undefined {
    const [config] = this.#sql.exec<{ body: string }>("SELECT body FROM config").toArray();
    const [counters] = this.#sql
      .exec<{ soldCount: number; seq: number; historySeq: number; clockMs: number; settledPosition: number }>(
        `SELECT sold_count AS soldCount, seq, history_seq AS historySeq, clock_ms AS clockMs,
           settled_position AS settledPosition FROM counters`,
      )
      .toArray();
    if (!config || !counters) return undefined;
    this.#settledPosition = counters.settledPosition;
    const holds = this.#sql.exec<{ expiresAtMs: number; quantity: number; holdCount: number }>(
      `SELECT expires_at_ms AS expiresAtMs, SUM(quantity) AS quantity, COUNT(*) AS holdCount FROM reservations
       WHERE position > ? AND status = 'ACTIVE' GROUP BY expires_at_ms`,
      counters.settledPosition,
    );
    const { soldCount, seq, historySeq, clockMs } = counters;
    return new InventoryState(JSON.parse(config.body) as InventoryConfig, { soldCount, seq, historySeq, clockMs }, holds); // our own JSON
  }

  /** Loads what the commands need, all of them at once. */
  loadFacts(state: InventoryState | undefined, commands: readonly InventoryCommand[], nowMs: number): GroupFacts {
    const ids = new Set<string>();
    const users = new Set<string>();
    let sweeps = false;
    let limitsUsers = (state?.config.maxPerUser ?? null) !== null;
    for (const message of commands) {
      if (message.kind === "configure") limitsUsers ||= message.config.maxPerUser !== null;
      else if (message.kind === "sweep") sweeps = true;
      else ids.add(message.command.reservationId);
      if (message.kind === "reserve") users.add(message.command.userId);
    }
    const lines = new Map<string, ReservationLine>();
    if (ids.size > 0) for (const line of this.#listLines([...ids])) lines.set(line.reservationId, line);
    const expired = sweeps && state ? this.#listExpired(state, nowMs) : [];
    for (const line of expired) lines.set(line.reservationId, line);
    return {
      lines,
      userCounts: limitsUsers && users.size > 0 ? this.#countByUser([...users], state?.clockAt(nowMs) ?? nowMs) : new Map(),
      restocksDone: this.#findRestocks(commands),
      expiredIds: expired.map((line) => line.reservationId),
    };
  }

  /** Stores what a group came to. Call in the transaction in which its facts were loaded. */
  save(result: GroupResult, swept: boolean): void {
    const { state, changes, configured, restocks } = result;
    if (!state || (changes.length === 0 && !configured && !swept)) return;
    if (configured) this.#saveConfig(state.config);
    const lines = new Map(changes.map((change) => [change.line.reservationId, change.line]));
    insertRows(this.#sql, INTO_LINES, Array.from(lines.values(), toValues), CHANGE_LINE);
    this.#saveRestocks(restocks);
    if (swept) this.#settledPosition = this.#findSettledPosition();
    const { soldCount, seq, historySeq, clockMs } = state.counters;
    this.#sql.exec(UPSERT_COUNTERS, soldCount, seq, historySeq, clockMs, this.#settledPosition);
  }

  #listLines(ids: readonly string[]): ReservationLine[] {
    return this.#sql.exec<LineRow>(FIND_LINES, JSON.stringify(ids)).toArray().map(toLine);
  }

  /** Looks for as many as there are: asked for one more, it would read every hold that goes on. */
  #listExpired(state: InventoryState, nowMs: number): ReservationLine[] {
    const count = state.countEnded(nowMs, SWEPT_PER_COMMIT);
    return this.#sql.exec<LineRow>(FIND_EXPIRED, this.#settledPosition, state.clockAt(nowMs), count).toArray().map(toLine);
  }

  #countByUser(userIds: readonly string[], clockMs: number): Map<string, number> {
    const rows = this.#sql.exec<{ user_id: string; committed: number }>(COUNT_BY_USER, JSON.stringify(userIds), clockMs);
    return new Map(rows.toArray().map((row) => [row.user_id, row.committed]));
  }

  #findRestocks(commands: readonly InventoryCommand[]): Set<string> {
    const asked = commands.flatMap((message) =>
      message.kind === "restock" ? [[message.command.reservationId, message.command.commandId]] : [],
    );
    if (asked.length === 0) return new Set();
    const rows = this.#sql.exec<{ commandId: string; reservationId: string }>(FIND_RESTOCKS, JSON.stringify(asked));
    return new Set(rows.toArray().map(restockKey));
  }

  #saveConfig(config: InventoryConfig): void {
    if (config.maxPerUser !== null) this.#sql.exec(INDEX_BY_USER);
    this.#sql.exec(
      "INSERT INTO config (only_row, body) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET body = excluded.body",
      JSON.stringify(config),
    );
  }

  #saveRestocks(restocks: GroupResult["restocks"]): void {
    const rows = restocks.map((command) => [command.commandId, command.reservationId, command.quantity]);
    insertRows(this.#sql, "INSERT INTO restocks (command_id, reservation_id, quantity)", rows);
  }

  #findSettledPosition(): number {
    const [row] = this.#sql
      .exec<{ position: number | null }>(FIND_SETTLED, this.#settledPosition, SETTLED_PER_COMMIT)
      .toArray();
    return row?.position ?? this.#settledPosition;
  }
}
