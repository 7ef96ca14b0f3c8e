import { insertRows } from "./insert-rows.ts";

/** A message to the rest of the world, written in the transaction of the change it tells of. `body` is JSON. */
export interface OutboxMessage {
  readonly topic: string;
  readonly body: unknown;
}

/** Stores a message with the change it tells of. */
export type Emit = (message: OutboxMessage) => void;

/** A stored message. `seq` grows with every message of the object and is never used twice. */
export interface OutboxRow {
  readonly seq: number;
  readonly topic: string;
  readonly body: string;
}

/** How long a refused row rests: 1 s, doubling with each refusal, at most 10 minutes. */
const SET_ASIDE_FIRST_MS = 1_000;
const SET_ASIDE_LONGEST_MS = 600_000;
/** Rows counted for an operator. */
const MOST_COUNTED = 10_000;

/**
 * The outbox of one Durable Object. Delivery is at least once and in order but for rows set aside, so what receives the
 * rows must be guarded by a sequence number or a key.
 */
export class Outbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Stores the messages, in order. Call inside the transaction of the change. */
  append(messages: readonly OutboxMessage[]): void {
    const rows = messages.map((message) => [message.topic, JSON.stringify(message.body)]);
    insertRows(this.#sql, "INSERT INTO outbox (topic, body)", rows);
  }

  /** Rows that are due, at most `limit`: the oldest that were never refused, then those that have rested long enough. */
  listDue(nowMs: number, limit: number): OutboxRow[] {
    const fresh = this.#list("due_at_ms = 0 ORDER BY seq LIMIT ?", limit);
    if (fresh.length === limit) return fresh;
    return [
      ...fresh,
      ...this.#list("due_at_ms > 0 AND due_at_ms <= ? ORDER BY due_at_ms LIMIT ?", nowMs, limit - fresh.length),
    ];
  }

  #list(where: string, ...bindings: readonly number[]): OutboxRow[] {
    return this.#sql
      .exec<{ seq: number; topic: string; body: string }>(`SELECT seq, topic, body FROM outbox WHERE ${where}`, ...bindings)
      .toArray();
  }

  /** Forgets delivered rows. */
  remove(rows: readonly OutboxRow[]): void {
    if (rows.length === 0) return;
    this.#sql.exec(
      "DELETE FROM outbox WHERE seq IN (SELECT value FROM json_each(?))",
      JSON.stringify(rows.map((row) => row.seq)),
    );
  }

  /** Lets a row that the receiver refuses rest, so that it never blocks those behind it. Returns how often it was refused. */
  setAside(row: OutboxRow, nowMs: number): number {
    const [updated] = this.#sql
      .exec<{ attempts: number }>(
        `UPDATE outbox SET attempts = attempts + 1, due_at_ms = ? + MIN(?, ? * (1 << MIN(attempts, 20))) WHERE seq = ?
         RETURNING attempts`,
        nowMs,
        SET_ASIDE_LONGEST_MS,
        SET_ASIDE_FIRST_MS,
        row.seq,
      )
      .toArray();
    return updated?.attempts ?? 0;
  }

  /** How many rows wait, up to {@link MOST_COUNTED}, how many of them were refused, and the oldest of all. */
  measure(): { waitingCount: number; refusedCount: number; oldest: OutboxRow | undefined } {
    const [counted] = this.#sql
      .exec<{ waitingCount: number; refusedCount: number }>(
        `SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM outbox LIMIT ${MOST_COUNTED})) AS waitingCount,
           (SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE due_at_ms > 0 LIMIT ${MOST_COUNTED})) AS refusedCount`,
      )
      .toArray();
    const [oldest] = this.#list("true ORDER BY seq LIMIT ?", 1);
    return { waitingCount: counted?.waitingCount ?? 0, refusedCount: counted?.refusedCount ?? 0, oldest };
  }

  /** When the next row is due, Unix milliseconds (0 when one waits already); undefined when there is none. */
  nextDueMs(): number | undefined {
    const waiting = this.#sql.exec("SELECT 1 FROM outbox WHERE due_at_ms = 0 LIMIT 1").toArray();
    if (waiting.length > 0) return 0;
    const [resting] = this.#sql
      .exec<{ due: number | null }>("SELECT MIN(due_at_ms) AS due FROM outbox WHERE due_at_ms > 0")
      .toArray();
    return resting?.due ?? undefined;
  }
}
