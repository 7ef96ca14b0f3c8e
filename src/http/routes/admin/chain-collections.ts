import { z } from "@hono/zod-openapi";
import { setCollections } from "#services/trees/set-collections";
import { defineRoute } from "../../route.ts";
import { accountAddress, id, json } from "../../schemas.ts";

export const putCollections = defineRoute({
  method: "put",
  path: "/admin/chain/events/{id}/collections",
  summary: "Name the collections that an event's tickets join, made before with `npm run chain:setup`",
  who: "O",
  tier: "write",
  params: z.object({ id }),
  body: z
    .strictObject({ collectionAddress: accountAddress.optional(), frozenCollectionAddress: accountAddress.optional() })
    .refine((body) => Object.keys(body).length > 0, "name at least one collection"),
  answers: {
    200: {
      description: "The event's collections now; without one the minting wallet makes it with the first ticket",
      schema: z.object({
        collectionAddress: z.string().nullable(),
        frozenCollectionAddress: z.string().nullable().openapi({ description: "Of tickets that are not transferable" }),
      }),
    },
  },
  async handle({ ctx, params, body: { collectionAddress = null, frozenCollectionAddress = null } }) {
    const stored = await setCollections(ctx, params.id, { collectionAddress, frozenCollectionAddress });
    return stored.ok ? json(stored.value) : stored.failure;
  },
});
