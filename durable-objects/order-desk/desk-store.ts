import { sharedPrefixOf } from "#domain/ids";
import type { OrderRecord } from "#domain/order";
import type { PaymentNews } from "#domain/order-messages";
import type { OrderNumberBlock } from "#domain/order-number";
import type { PaymentEventOutcome } from "#domain/statuses";
import { remember } from "#platform/remember";
import { readAnswer, readOrder, type AnswerRecord, type HoldRecord } from "./desk-records.ts";
import { PendingWrites } from "./pending-writes.ts";

/** What is forgotten in time, and by which keeping time. */
const PRUNED = [
  { table: "holds", kept: "requests" },
  { table: "answers", kept: "requests" },
  { table: "payment_events", kept: "orders" },
  { table: "orders", kept: "orders" },
] as const;

/** Orders with nothing left to do and to tell: those that have stand at the front for as long, and must not hide the others. */
const IS_DONE = "WHERE due_at_ms IS NULL AND order_id NOT IN (SELECT body ->> 'orderId' FROM outbox)";

const FIND_KNOWN = `
  SELECT value AS requestId FROM json_each(?) WHERE EXISTS (SELECT 1 FROM holds WHERE reservation_id = value)
    OR EXISTS (SELECT 1 FROM orders WHERE order_id = value) OR EXISTS (SELECT 1 FROM answers WHERE request_id = value)`;

/** Orders that are also kept in memory, some 2 kB each. */
const ORDERS_REMEMBERED = 1_000;

/**
 * The desk's own SQLite. Bodies are JSON written by this class alone, so they are read back without a check.
 *
 * Writers are called inside a commit, and what they write is kept until {@link flush} stores it at the end of that commit:
 * a few statements a table for all its commands, which costs a third of a statement for each. Readers see it before that.
 */
export class DeskStore {
  readonly #sql: SqlStorage;
  #pending = new PendingWrites();
  /** Orders as they are stored, the last written last: what is asked for next is nearly always among them. */
  readonly #recentOrders = new Map<string, OrderRecord>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Stores what was written. Call at the end of each commit, in its transaction. */
  flush(): void {
    const written = this.#pending;
    this.#pending = new PendingWrites();
    for (const [orderId, { record }] of written.orders) remember(this.#recentOrders, orderId, record, ORDERS_REMEMBERED);
    written.storeIn(this.#sql);
  }

  /** Forgets what was written but not stored, after a rollback. */
  discard(): void {
    this.#pending = new PendingWrites();
    this.#recentOrders.clear();
  }

  findHold(reservationId: string): HoldRecord | undefined {
    const pending = this.#pending.holds.get(reservationId);
    if (pending) return pending.record;
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM holds WHERE reservation_id = ?", reservationId).toArray();
    return row && (JSON.parse(row.body) as HoldRecord); // written by PendingWrites
  }

  saveHold(record: HoldRecord, nowMs: number): void {
    this.#pending.holds.set(record.view.id, { record, createdAtMs: nowMs });
  }

  /** Those of the requests that were answered before, in whichever way. Nearly every request is new, and this is one statement. */
  findKnownRequests(requestIds: readonly string[]): Set<string> {
    const rows = this.#sql.exec<{ requestId: string }>(FIND_KNOWN, JSON.stringify(requestIds)).toArray();
    return new Set(rows.map(({ requestId }) => requestId));
  }

  findOrder(orderId: string): OrderRecord | undefined {
    const pending = this.#pending.orders.get(orderId);
    if (pending) return pending.record;
    const recent = this.#recentOrders.get(orderId);
    if (recent) return recent;
    const [row] = this.#sql.exec<{ body: string }>("SELECT body FROM orders WHERE order_id = ?", orderId).toArray();
    return row && readOrder(row.body);
  }

  /** The orders with these ids that are known, in no order. */
  listOrders(orderIds: readonly string[]): OrderRecord[] {
    this.flush();
    const recent = orderIds.flatMap((orderId) => this.#recentOrders.get(orderId) ?? []);
    if (recent.length === orderIds.length) return recent;
    return this.#sql
      .exec<{ body: string }>(
        "SELECT body FROM json_each(?) AS wanted CROSS JOIN orders ON order_id = wanted.value",
        JSON.stringify(orderIds),
      )
      .toArray()
      .map((row) => readOrder(row.body));
  }

  /** Orders that may be the parent of what has this id, for it begins like theirs (desk and 28 bits of hash): nearly always one. */
  listParentsOf(id: string): OrderRecord[] {
    this.flush();
    const prefix = sharedPrefixOf(id);
    return this.#sql
      .exec<{ body: string }>("SELECT body FROM orders WHERE order_id >= ? AND order_id < ?", prefix, `${prefix}~`)
      .toArray()
      .map((row) => readOrder(row.body));
  }

  saveOrder(record: OrderRecord, dueAtMs: number | null): void {
    this.#pending.orders.set(record.view.id, { record, dueAtMs });
  }

  /** The user's orders, newest first. */
  listOrdersOfUser(userId: string, limit: number): OrderRecord[] {
    this.flush();
    return this.#sql
      .exec<{ body: string }>("SELECT body FROM orders WHERE user_id = ? ORDER BY seq DESC LIMIT ?", userId, limit)
      .toArray()
      .map((row) => readOrder(row.body));
  }

  /** Ids of the orders that are due, the longest waiting first. */
  listDueOrderIds(nowMs: number, limit: number): string[] {
    this.flush();
    return this.#sql
      .exec<{ order_id: string }>(
        "SELECT order_id FROM orders WHERE due_at_ms IS NOT NULL AND due_at_ms <= ? ORDER BY due_at_ms LIMIT ?",
        nowMs,
        limit,
      )
      .toArray()
      .map((row) => row.order_id);
  }

  /** Says when these orders are looked at next, or never (null). */
  putOffOrders(orderIds: readonly string[], dueAtMs: number | null): void {
    this.flush();
    this.#sql.exec(
      "UPDATE orders SET due_at_ms = ? WHERE order_id IN (SELECT value FROM json_each(?))",
      dueAtMs,
      JSON.stringify(orderIds),
    );
  }

  /** When the first order is due, Unix milliseconds; undefined when none is. */
  firstDueMs(): number | undefined {
    const [row] = this.#sql
      .exec<{ due: number | null }>("SELECT MIN(due_at_ms) AS due FROM orders WHERE due_at_ms IS NOT NULL")
      .toArray();
    return row?.due ?? undefined;
  }

  /** Records a payment event and what became of it; false when it was recorded before. */
  insertPaymentEvent(event: PaymentNews, outcome: PaymentEventOutcome, nowMs: number): boolean {
    const { provider, eventId, orderId, rawType, occurredAtMs } = event;
    const written = this.#sql.exec(
      `INSERT INTO payment_events (provider, event_id, order_id, raw_type, occurred_at_ms, outcome, created_at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      provider,
      eventId,
      orderId,
      rawType,
      occurredAtMs,
      outcome,
      nowMs,
    );
    return written.rowsWritten > 0;
  }

  /** Records what became of an event that had to wait. @returns how often it was decided about, and when it was received. */
  decidePaymentEvent(
    { provider, eventId, occurredAtMs }: PaymentNews,
    outcome: PaymentEventOutcome,
  ): { readonly attempts: number; readonly receivedAtMs: number } {
    const [row] = this.#sql
      .exec<{ attempts: number; created_at_ms: number }>(
        `UPDATE payment_events SET outcome = ?, attempts = attempts + 1 WHERE provider = ? AND event_id = ?
         RETURNING attempts, created_at_ms`,
        outcome,
        provider,
        eventId,
      )
      .toArray();
    // An event may wait for longer than its row is kept.
    return { attempts: row?.attempts ?? 2, receivedAtMs: row?.created_at_ms ?? occurredAtMs };
  }

  findAnswer(requestId: string): AnswerRecord | undefined {
    const pending = this.#pending.answers.get(requestId);
    if (pending) return pending.record;
    const [row] = this.#sql
      .exec<{ body_hash: string; answer: string }>("SELECT body_hash, answer FROM answers WHERE request_id = ?", requestId)
      .toArray();
    return row && { bodyHash: row.body_hash, answer: readAnswer(row.answer) };
  }

  /** Keeps an answer; the first one stays. */
  insertAnswer(requestId: string, record: AnswerRecord, nowMs: number): void {
    if (!this.#pending.answers.has(requestId)) this.#pending.answers.set(requestId, { record, createdAtMs: nowMs });
  }

  /** The tenant's unused order numbers, oldest block first. */
  listNumberBlocks(tenantId: string): OrderNumberBlock[] {
    this.flush();
    return this.#sql
      .exec<{ next_index: number; end_index: number; shuffle_key: string }>(
        "SELECT next_index, end_index, shuffle_key FROM number_blocks WHERE tenant_id = ? ORDER BY end_index",
        tenantId,
      )
      .toArray()
      .map((row) => ({ nextIndex: row.next_index, endIndex: row.end_index, shuffleKey: row.shuffle_key }));
  }

  saveNumberBlock(tenantId: string, block: OrderNumberBlock): void {
    this.#pending.numberBlocks.set(`${tenantId} ${block.endIndex}`, { tenantId, block });
  }

  /**
   * Forgets what was made before `sinceMs`, at most `limit` rows of each kind, oldest first; an order only when nothing is left to
   * do and to tell: its messages carry its id alone, and without it nothing behind them would be delivered. Call between commits:
   * what a commit has to tell is stored at its end. False when there was nothing to forget.
   */
  prune(sinceMs: { readonly requests: number; readonly orders: number }, limit: number): boolean {
    let rowsWritten = 0;
    for (const { table, kept } of PRUNED) {
      const deleted = this.#sql.exec(
        `DELETE FROM ${table} WHERE seq IN (SELECT seq FROM ${table} ${table === "orders" ? IS_DONE : ""} ORDER BY seq LIMIT ?)
           AND created_at_ms < ?`,
        limit,
        sinceMs[kept],
      );
      rowsWritten += deleted.rowsWritten;
    }
    if (rowsWritten > 0) this.#recentOrders.clear();
    return rowsWritten > 0;
  }

  /** When the oldest row of each kind was made; undefined where there is none. */
  oldestMs(): { readonly requests: number | undefined; readonly orders: number | undefined } {
    const oldest: Record<"requests" | "orders", number | undefined> = { requests: undefined, orders: undefined };
    for (const { table, kept } of PRUNED) {
      const [row] = this.#sql.exec<{ at: number }>(`SELECT created_at_ms AS at FROM ${table} ORDER BY seq LIMIT 1`).toArray();
      if (row) oldest[kept] = Math.min(row.at, oldest[kept] ?? row.at);
    }
    return oldest;
  }
}
