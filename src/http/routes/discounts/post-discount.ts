import { createDiscount } from "#services/discount/create-discount";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { discountShape, newDiscountBody, presentDiscount } from "./discount-shape.ts";

export const postDiscount = defineRoute({
  method: "post",
  path: "/api/v1/discounts",
  summary: "Make a discount code",
  who: "M",
  tier: "write",
  body: newDiscountBody,
  answers: { 201: { description: "The new discount", schema: discountShape } },
  async handle({ ctx, body: { until, validFrom, validUntil, ...fields } }) {
    const times = { untilMs: until, validFromMs: validFrom, validUntilMs: validUntil };
    const discount = await createDiscount(ctx, { ...fields, ...times });
    return discount.ok ? json(presentDiscount(discount.value), 201) : discount.failure;
  },
});
