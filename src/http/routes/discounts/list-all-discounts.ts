import { listDiscounts } from "#services/discount/list-discounts";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { json, pageOf, pageQuery } from "../../schemas.ts";
import { discountShape, presentDiscount } from "./discount-shape.ts";

export const listAllDiscounts = defineRoute({
  method: "get",
  path: "/api/v1/discounts",
  summary: "The tenant's discounts, newest first, without archived ones",
  who: "M",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of discounts", schema: pageOf(discountShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listDiscounts(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentDiscount), nextCursor: page.nextCursor });
  },
});
