import { and, asc, desc, eq, inArray, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { OrderLine, OrderPayment, OrderView } from "#domain/order-messages";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { orderItems, orders, payments } from "./schema.ts";

type OrderRow = typeof orders.$inferSelect;

/** What a page of orders is asked by; rows start after `after`, newest first. */
export interface OrderListQuery {
  readonly tenantId: string;
  /** Null for the orders of the whole tenant. */
  readonly userId: string | null;
  readonly limit: number;
  readonly after: PageStart | undefined;
  readonly nowMs: number;
}

/** The tenant's order with its lines and payment, as D1 knows it; an unpaid one whose hold has run out reads EXPIRED. */
export async function findOrderRow(
  db: DrizzleD1Database,
  tenantId: string,
  orderId: string,
  nowMs: number,
): Promise<OrderView | undefined> {
  const [found] = await readWithParts(db, and(eq(orders.id, orderId), eq(orders.tenantId, tenantId)), 1, nowMs);
  return found;
}

/** At most `limit` + 1 of the user's or tenant's orders, newest first; the one too many says that there is a next page. */
export function listOrderRows(db: DrizzleD1Database, query: OrderListQuery): Promise<readonly OrderView[]> {
  const { tenantId, userId, after, limit, nowMs } = query;
  const isOnPage = isOlderThan([orders.createdAtMs, orders.id], after);
  // The + has SQLite read a user's orders by the user's index, not all of the tenant's by the primary key.
  const isTheirs =
    userId === null ? eq(orders.tenantId, tenantId) : and(eq(orders.userId, userId), sql`+${orders.tenantId} = ${tenantId}`);
  return readWithParts(db, and(isTheirs, isOnPage), limit + 1, nowMs);
}

/** The orders, their lines and their payments in two round trips. */
async function readWithParts(
  db: DrizzleD1Database,
  where: SQL | undefined,
  limit: number,
  nowMs: number,
): Promise<OrderView[]> {
  const rows = await db.select().from(orders).where(where).orderBy(desc(orders.createdAtMs), desc(orders.id)).limit(limit);
  if (rows.length === 0) return [];
  // D1 binds at most 100 parameters a statement; a page has at most 101 rows.
  const ids = rows.slice(0, 100).map((row) => row.id);
  const [items, paid] = await db.batch([
    db
      .select()
      .from(orderItems)
      .where(inArray(orderItems.orderId, ids))
      .orderBy(asc(orderItems.orderId), asc(orderItems.lineNumber)),
    db.select().from(payments).where(isPaymentOfOneOf(rows)).orderBy(desc(payments.seq)),
  ]);
  return rows.map((row) => {
    const lines = items.filter((item) => item.orderId === row.id);
    const payment = paid.find((candidate) => candidate.orderId === row.id);
    return toView(row, lines, payment ? { ...payment, action: { type: "none" } } : null, nowMs);
  });
}

/** Payments lie by when their order was made, so each is found with its order's time and id. */
function isPaymentOfOneOf(rows: readonly OrderRow[]): SQL {
  const keys = JSON.stringify(rows.map(({ createdAtMs, id }) => [createdAtMs, id]));
  return sql`(${payments.createdAtMs}, ${payments.orderId}) IN (SELECT value ->> 0, value ->> 1 FROM json_each(${keys}))`;
}

function toView(row: OrderRow, lines: readonly OrderLine[], payment: OrderPayment | null, nowMs: number): OrderView {
  const unpaid = row.status === "PENDING" || row.status === "PAYMENT_FAILED";
  return {
    ...row,
    status: unpaid && row.holdExpiresAtMs <= nowMs ? "EXPIRED" : row.status,
    lines,
    payment,
  };
}
