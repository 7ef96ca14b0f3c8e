import { quoteOrder } from "#services/order/quote-order";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { purchaseBody } from "./basket-shape.ts";
import { presentLines, quoteShape } from "./order-shape.ts";

export const quote = defineRoute({
  method: "post",
  path: "/api/v1/purchase/quote",
  summary: "Price a purchase without holding anything",
  who: "A",
  tier: "read",
  body: purchaseBody,
  answers: {
    200: {
      description:
        "The prices the purchase would have. Whether tickets are left and on sale now is asked by the purchase alone",
      schema: quoteShape,
    },
  },
  async handle({ ctx, body }) {
    const priced = await quoteOrder(ctx, body);
    if (!priced.ok) return priced.failure;
    const { eventId, lines, totals } = priced.value;
    return json({ eventId, ...totals, items: presentLines(lines) });
  },
});
