import { z } from "@hono/zod-openapi";
import { succeed } from "#domain/result";
import { markPaid } from "#services/internal/mark-paid";
import { readBytes } from "../../middleware/read-body.ts";
import { defineRoute, parseJsonBytes } from "../../route.ts";
import { id, json, lineOfText, sumCents } from "../../schemas.ts";
import { orderShape, presentOrder } from "../orders/order-shape.ts";

const markPaidBody = z.strictObject({
  paymentId: lineOfText(200).optional(),
  amountCents: sumCents.optional(),
  currency: z.string().length(3).optional(),
});

export const markOrderPaid = defineRoute({
  method: "post",
  path: "/internal/orders/{orderId}/mark-paid",
  summary: "Settle an order with a payment taken elsewhere",
  who: "S",
  tier: "none",
  params: z.object({ orderId: id }),
  signedBody: markPaidBody,
  answers: { 200: { description: "The order as it is then", schema: orderShape } },
  async handle({ ctx, params, request }) {
    const rawBody = await readBytes(request);
    if (!rawBody.ok) return rawBody.failure;
    const call = { rawBody: rawBody.value, headers: request.headers };
    const paid = await markPaid(ctx, {
      call,
      orderId: params.orderId,
      parse: (bytes) => (bytes.length === 0 ? succeed({}) : parseJsonBytes(markPaidBody, bytes)),
    });
    return paid.ok ? json(presentOrder(paid.value)) : paid.failure;
  },
});
