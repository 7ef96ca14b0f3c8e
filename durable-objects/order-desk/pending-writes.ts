import type { OrderRecord } from "#domain/order";
import type { OrderNumberBlock } from "#domain/order-number";
import type { AnswerRecord, HoldRecord } from "./desk-records.ts";

const UPSERT_HOLDS = `
  INSERT INTO holds (reservation_id, body, created_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true ORDER BY key
  ON CONFLICT (reservation_id) DO UPDATE SET body = excluded.body`;

const UPSERT_ORDERS = `
  INSERT INTO orders (order_id, user_id, body, due_at_ms, created_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true ORDER BY key
  ON CONFLICT (order_id) DO UPDATE SET body = excluded.body, due_at_ms = excluded.due_at_ms`;

const INSERT_ANSWERS = `
  INSERT INTO answers (request_id, body_hash, answer, created_at_ms)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true ORDER BY key
  ON CONFLICT DO NOTHING`;

const UPSERT_NUMBER_BLOCK = `
  INSERT INTO number_blocks (tenant_id, next_index, end_index, shuffle_key) VALUES (?, ?, ?, ?)
  ON CONFLICT (tenant_id, end_index) DO UPDATE SET next_index = excluded.next_index`;

type Row = readonly (string | number | null)[];

/** What the commands of one commit have written so far, by key. */
export class PendingWrites {
  readonly holds = new Map<string, { readonly record: HoldRecord; readonly createdAtMs: number }>();
  readonly orders = new Map<string, { readonly record: OrderRecord; readonly dueAtMs: number | null }>();
  readonly answers = new Map<string, { readonly record: AnswerRecord; readonly createdAtMs: number }>();
  readonly numberBlocks = new Map<string, { readonly tenantId: string; readonly block: OrderNumberBlock }>();

  /** Stores it all, one statement a table. Call in the transaction of the commit. */
  storeIn(sql: SqlStorage): void {
    const write = (statement: string, rows: readonly Row[]): void => {
      if (rows.length > 0) sql.exec(statement, JSON.stringify(rows));
    };
    write(
      UPSERT_HOLDS,
      Array.from(this.holds.values(), ({ record, createdAtMs }) => [record.view.id, JSON.stringify(record), createdAtMs]),
    );
    write(
      UPSERT_ORDERS,
      Array.from(this.orders.values(), ({ record, dueAtMs }) => {
        const { id, userId, createdAtMs } = record.view;
        return [id, userId, JSON.stringify(record), dueAtMs, createdAtMs];
      }),
    );
    write(
      INSERT_ANSWERS,
      Array.from(this.answers, ([requestId, { record, createdAtMs }]) => {
        return [requestId, record.bodyHash, JSON.stringify(record.answer), createdAtMs];
      }),
    );
    for (const { tenantId, block } of this.numberBlocks.values()) storeNumberBlock(sql, tenantId, block);
  }
}

/** A block that is used up is forgotten. */
function storeNumberBlock(sql: SqlStorage, tenantId: string, { nextIndex, endIndex, shuffleKey }: OrderNumberBlock): void {
  if (nextIndex < endIndex) sql.exec(UPSERT_NUMBER_BLOCK, tenantId, nextIndex, endIndex, shuffleKey);
  else sql.exec("DELETE FROM number_blocks WHERE tenant_id = ? AND end_index = ?", tenantId, endIndex);
}
