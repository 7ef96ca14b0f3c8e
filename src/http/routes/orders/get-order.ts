import { z } from "@hono/zod-openapi";
import { findOrder } from "#services/order/find-order";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { orderShape, presentOrder } from "./order-shape.ts";

export const getOrder = defineRoute({
  method: "get",
  path: "/api/v1/orders/{orderId}",
  summary: "An own order (venue managers: any of the tenant), exact at once",
  who: "A",
  tier: "read",
  params: z.object({ orderId: id }),
  answers: { 200: { description: "The order", schema: orderShape } },
  async handle({ ctx, params }) {
    const order = await findOrder(ctx, params.orderId);
    return order.ok ? json(presentOrder(order.value, ctx.principal.userId)) : order.failure;
  },
});
