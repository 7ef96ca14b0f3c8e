import { listOrders } from "#services/order/list-orders";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { json, pageOf, pageQuery } from "../../schemas.ts";
import { orderShape, presentOrder } from "./order-shape.ts";

export const listAllowedOrders = defineRoute({
  method: "get",
  path: "/api/v1/orders",
  summary: "The caller's own orders (venue managers: those of the tenant), newest first",
  who: "A",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of orders", schema: pageOf(orderShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listOrders(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map((order) => presentOrder(order, ctx.principal.userId)), nextCursor: page.nextCursor });
  },
});
