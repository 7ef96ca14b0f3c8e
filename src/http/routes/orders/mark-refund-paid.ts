import { z } from "@hono/zod-openapi";
import { markRefundPaid } from "#services/order/mark-refund-paid";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentRefund, refundShape } from "./refund-shape.ts";

export const markPaidBack = defineRoute({
  method: "post",
  path: "/api/v1/orders/{orderId}/refunds/{refundId}/mark-paid",
  summary: "Note that a refund of money taken elsewhere was paid by hand, by the caller",
  who: "M",
  tier: "write",
  params: z.object({ orderId: id, refundId: id }),
  answers: { 200: { description: "The refund, succeeded", schema: refundShape } },
  async handle({ ctx, params }) {
    const paid = await markRefundPaid(ctx, params);
    return paid.ok ? json(presentRefund(paid.value)) : paid.failure;
  },
});
