import { z } from "@hono/zod-openapi";
import { refundOrder } from "#services/order/refund-order";
import { toRefusal } from "../../problem.ts";
import { defineRoute } from "../../route.ts";
import { id, json, longText, REPLAYED } from "../../schemas.ts";
import { orderShape, presentOrder } from "./order-shape.ts";

const refundBody = z
  .strictObject({
    ticketIds: z
      .array(id)
      .min(1)
      .max(100)
      .refine((ids) => new Set(ids).size === ids.length, "a ticket is named twice")
      .optional()
      .openapi({ description: "Left out: all that are not paid back yet" }),
    reason: longText(500).trim().min(1).openapi({ description: "Shown to the buyer with the refund" }),
    restock: z.boolean().default(true).openapi({ description: "Puts the seats back on sale" }),
  })
  .openapi("RefundRequest");

export const refund = defineRoute({
  method: "post",
  path: "/api/v1/orders/{orderId}/refund",
  summary: "Pay tickets of an order back; they are dead at every gate before the answer",
  who: "M",
  tier: "write",
  needsIdempotencyKey: true,
  params: z.object({ orderId: id }),
  body: refundBody,
  answers: { 200: { description: "The order, REFUNDED once all its tickets are", schema: orderShape } },
  async handle({ ctx, params, body, identify }) {
    const { ticketIds = null, reason, restock } = body;
    const refunded = await refundOrder(ctx, { request: identify(), orderId: params.orderId, ticketIds, reason, restock });
    if (!refunded.ok) return toRefusal(refunded);
    return json(presentOrder(refunded.value, ctx.principal.userId), 200, refunded.replayed ? REPLAYED : {});
  },
});
