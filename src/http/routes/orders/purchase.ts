import { placeOrder } from "#services/order/place-order";
import { defineRoute } from "../../route.ts";
import { json, REPLAYED } from "../../schemas.ts";
import { toRefusal } from "../../problem.ts";
import { purchaseBody } from "./basket-shape.ts";
import { orderShape, presentOrder } from "./order-shape.ts";

export const purchase = defineRoute({
  method: "post",
  path: "/api/v1/purchase",
  summary: "Buy tickets: hold them, make the order, create its payment",
  who: "A",
  tier: "sale",
  needsIdempotencyKey: true,
  body: purchaseBody,
  answers: { 201: { description: "The order, with a payment to make unless its total is 0", schema: orderShape } },
  async handle({ ctx, body, identify }) {
    const placed = await placeOrder(ctx, { ...body, request: identify() });
    if (!placed.ok) return toRefusal(placed);
    return json(presentOrder(placed.value, ctx.principal.userId), 201, placed.replayed ? REPLAYED : {});
  },
});
