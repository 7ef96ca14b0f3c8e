import { z } from "@hono/zod-openapi";
import { listRefunds } from "#services/order/list-refunds";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf } from "../../schemas.ts";
import { presentRefund, refundShape } from "./refund-shape.ts";

export const getRefunds = defineRoute({
  method: "get",
  path: "/api/v1/orders/{orderId}/refunds",
  summary: "The refunds of an order, oldest first",
  who: "A",
  tier: "read",
  params: z.object({ orderId: id }),
  answers: { 200: { description: "All of them", schema: pageOf(refundShape) } },
  async handle({ ctx, params }) {
    const refunds = await listRefunds(ctx, params.orderId);
    if (!refunds.ok) return refunds.failure;
    return json({ items: refunds.value.map(presentRefund), nextCursor: null });
  },
});
