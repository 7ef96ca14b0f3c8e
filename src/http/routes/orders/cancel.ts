import { z } from "@hono/zod-openapi";
import { cancelOrder } from "#services/order/cancel-order";
import { defineRoute } from "../../route.ts";
import { toRefusal } from "../../problem.ts";
import { id, json, REPLAYED } from "../../schemas.ts";
import { orderShape, presentOrder } from "./order-shape.ts";

export const cancel = defineRoute({
  method: "post",
  path: "/api/v1/orders/{orderId}/cancel",
  summary: "Cancel an own unpaid order; its stock is back at once",
  who: "A",
  tier: "sale",
  needsIdempotencyKey: true,
  params: z.object({ orderId: id }),
  answers: { 200: { description: "The cancelled order", schema: orderShape } },
  async handle({ ctx, params, identify }) {
    const cancelled = await cancelOrder(ctx, { request: identify(), orderId: params.orderId });
    if (!cancelled.ok) return toRefusal(cancelled);
    return json(presentOrder(cancelled.value, ctx.principal.userId), 200, cancelled.replayed ? REPLAYED : {});
  },
});
