import type { OrderRecord } from "#domain/order";
import type { OrderNumberBlock } from "#domain/order-number";
import { insertRows } from "../insert-rows.ts";
import type { AnswerRecord, HoldRecord } from "./desk-records.ts";

const INTO_HOLDS = "INSERT INTO holds (reservation_id, body, created_at_ms)";
const INTO_ORDERS = "INSERT INTO orders (order_id, user_id, body, due_at_ms, created_at_ms)";
const INTO_ANSWERS = "INSERT INTO answers (request_id, body_hash, answer, created_at_ms)";

const UPSERT_NUMBER_BLOCK = `
  INSERT INTO number_blocks (tenant_id, next_index, end_index, shuffle_key) VALUES (?, ?, ?, ?)
  ON CONFLICT (tenant_id, end_index) DO UPDATE SET next_index = excluded.next_index`;

/** What the commands of one commit have written so far, by key. */
export class PendingWrites {
  readonly holds = new Map<string, { readonly record: HoldRecord; readonly createdAtMs: number }>();
  readonly orders = new Map<string, { readonly record: OrderRecord; readonly dueAtMs: number | null }>();
  readonly answers = new Map<string, { readonly record: AnswerRecord; readonly createdAtMs: number }>();
  readonly numberBlocks = new Map<string, { readonly tenantId: string; readonly block: OrderNumberBlock }>();

  /** Stores it all, a few statements a table. Call in the transaction of the commit. */
  storeIn(sql: SqlStorage): void {
    const holds = Array.from(this.holds.values(), ({ record, createdAtMs }) => {
      return [record.view.id, JSON.stringify(record), createdAtMs];
    });
    insertRows(sql, INTO_HOLDS, holds, "ON CONFLICT (reservation_id) DO UPDATE SET body = excluded.body");
    const orders = Array.from(this.orders.values(), ({ record, dueAtMs }) => {
      const { id, userId, createdAtMs } = record.view;
      return [id, userId, JSON.stringify(record), dueAtMs, createdAtMs];
    });
    const newState = "ON CONFLICT (order_id) DO UPDATE SET body = excluded.body, due_at_ms = excluded.due_at_ms";
    insertRows(sql, INTO_ORDERS, orders, newState);
    const answers = Array.from(this.answers, ([requestId, { record, createdAtMs }]) => {
      return [requestId, record.bodyHash, JSON.stringify(record.answer), createdAtMs];
    });
    insertRows(sql, INTO_ANSWERS, answers, "ON CONFLICT DO NOTHING");
    for (const { tenantId, block } of this.numberBlocks.values()) storeNumberBlock(sql, tenantId, block);
  }
}

/** A block that is used up is forgotten. */
function storeNumberBlock(sql: SqlStorage, tenantId: string, { nextIndex, endIndex, shuffleKey }: OrderNumberBlock): void {
  if (nextIndex < endIndex) sql.exec(UPSERT_NUMBER_BLOCK, tenantId, nextIndex, endIndex, shuffleKey);
  else sql.exec("DELETE FROM number_blocks WHERE tenant_id = ? AND end_index = ?", tenantId, endIndex);
}
