import { z } from "@hono/zod-openapi";
import { archiveDiscount } from "#services/discount/archive-discount";
import { respond } from "../../security-headers.ts";
import { defineRoute } from "../../route.ts";
import { id } from "../../schemas.ts";

export const deleteDiscount = defineRoute({
  method: "delete",
  path: "/api/v1/discounts/{id}",
  summary: "Take a discount code away for good; orders that have its price keep it, again changes nothing",
  who: "M",
  tier: "write",
  params: z.object({ id }),
  answers: { 204: { description: "It is archived" } },
  async handle({ ctx, params }) {
    const archived = await archiveDiscount(ctx, params.id);
    return archived.ok ? respond(null, 204) : archived.failure;
  },
});
