import { and, asc, eq, gte, inArray, ne, notExists, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { isTicketOfOrder } from "./mint-statements.ts";
import { orders, refunds, tickets } from "./schema.ts";

/** A refund's row. */
export type RefundRow = typeof refunds.$inferSelect;

/** More than an order can have: each of its tickets is paid back once, and again only when that failed. */
const REFUNDS_OF_ORDER = 10_000;

/** The refunds of a tenant's order, the oldest first. */
export function listRefundRows(db: DrizzleD1Database, tenantId: string, orderId: string): Promise<RefundRow[]> {
  return db
    .select()
    .from(refunds)
    .where(and(eq(refunds.orderId, orderId), eq(refunds.tenantId, tenantId)))
    .orderBy(asc(refunds.createdAtMs), asc(refunds.id))
    .limit(REFUNDS_OF_ORDER);
}

/** What D1 shows of an order once it has heard of a refund. */
export interface ToldRefund {
  readonly tenantId: string;
  readonly orderId: string;
  /** The tickets that died of it; null for all of the order's. */
  readonly ticketIds: readonly string[] | null;
  /** How much of the order's payment has gone back with it, in minor units. */
  readonly refundedCents: number;
}

/** True once D1 has the order with so much gone back, and shows none of the tickets as valid. */
export async function hasHeardOfRefund(db: DrizzleD1Database, refund: ToldRefund): Promise<boolean> {
  const { tenantId, orderId, ticketIds, refundedCents } = refund;
  const isOneOf =
    ticketIds === null ? undefined : inArray(tickets.id, sql`(SELECT value FROM json_each(${JSON.stringify(ticketIds)}))`);
  const valid = db
    .select({ id: tickets.id })
    .from(tickets)
    .where(and(isTicketOfOrder(orderId), ne(tickets.status, "CANCELLED"), isOneOf));
  const isBack = gte(orders.refundedCents, refundedCents);
  const found = await db
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.id, orderId), eq(orders.tenantId, tenantId), isBack, notExists(valid)));
  return found.length > 0;
}
