import { z } from "@hono/zod-openapi";
import { findOrderForOperator } from "#services/internal/find-for-operator";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { orderShape, presentOrder } from "../orders/order-shape.ts";

export const getOrderForOperator = defineRoute({
  method: "get",
  path: "/internal/orders/{orderId}",
  summary: "Any order, for the operator's own services",
  who: "S",
  tier: "none",
  params: z.object({ orderId: id }),
  answers: { 200: { description: "The order", schema: orderShape } },
  async handle({ ctx, params, request }) {
    const order = await findOrderForOperator(ctx, { rawBody: new Uint8Array(), headers: request.headers }, params.orderId);
    return order.ok ? json(presentOrder(order.value)) : order.failure;
  },
});
