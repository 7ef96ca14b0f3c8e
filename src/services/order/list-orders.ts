import { deskNumberFor } from "#domain/ids";
import type { OrderView } from "#domain/order-messages";
import { listOrderRows } from "#storage/orders";
import type { SignedInContext } from "../context.ts";
import { mergeNewest, type Page, type PageRequest } from "../page.ts";
import { mergeOrder } from "./find-order.ts";

/**
 * The caller's own orders, newest first. What the desk knows is merged in, so an order just placed is there and in its
 * last state.
 */
export async function listOrders(ctx: SignedInContext, page: PageRequest): Promise<Page<OrderView>> {
  const { tenantId, userId } = ctx.principal;
  const desk = ctx.desk(deskNumberFor(tenantId, userId, ctx.desksPerTenant));
  const [rows, recent] = await Promise.all([
    listOrderRows(ctx.db, { tenantId, userId, ...page, nowMs: ctx.nowMs }),
    desk.listRecentOrders(tenantId, userId),
  ]);
  return mergeNewest(rows, recent, page, mergeOrder);
}
