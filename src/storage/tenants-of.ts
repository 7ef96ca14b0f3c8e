import { eq } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { orders, tickets } from "./schema.ts";

/** The tenant of an order, for callers that belong to no tenant; undefined when D1 has no such order. */
export async function findTenantOfOrder(db: DrizzleD1Database, orderId: string): Promise<string | undefined> {
  const row = await db.select({ tenantId: orders.tenantId }).from(orders).where(eq(orders.id, orderId)).get();
  return row?.tenantId;
}

/** The tenant of a ticket, for callers that belong to no tenant; undefined when D1 has no such ticket. */
export async function findTenantOfTicket(db: DrizzleD1Database, ticketId: string): Promise<string | undefined> {
  const row = await db.select({ tenantId: tickets.tenantId }).from(tickets).where(eq(tickets.id, ticketId)).get();
  return row?.tenantId;
}
