import { z } from "@hono/zod-openapi";
import { updateDiscount } from "#services/discount/update-discount";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { discountChangesBody, discountShape, presentDiscount } from "./discount-shape.ts";

export const putDiscount = defineRoute({
  method: "put",
  path: "/api/v1/discounts/{id}",
  summary: "Change a discount, but for its type and unit; a cap never below what is held and used",
  who: "M",
  tier: "write",
  params: z.object({ id }),
  body: discountChangesBody,
  answers: { 200: { description: "The discount as it is now", schema: discountShape } },
  async handle({ ctx, params, body: { until, validFrom, validUntil, ...others } }) {
    const fields = { ...others, untilMs: until, validFromMs: validFrom, validUntilMs: validUntil };
    const discount = await updateDiscount(ctx, { discountId: params.id, fields });
    return discount.ok ? json(presentDiscount(discount.value)) : discount.failure;
  },
});
