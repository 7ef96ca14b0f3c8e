import { z } from "@hono/zod-openapi";
import { ASSET_BURN_STATUSES } from "#domain/statuses";
import { listAssetBurns } from "#services/assets/list-asset-burns";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { json, pageOf, pageQuery } from "../../schemas.ts";
import { assetWork, presentAssetWork } from "./asset-work-shape.ts";

const burn = assetWork.extend({ status: z.enum(ASSET_BURN_STATUSES) });

export const listBurns = defineRoute({
  method: "get",
  path: "/mint/burns",
  summary: "Assets that must be burnt with their cancelled tickets, the longest waiting first",
  who: "O",
  tier: "read",
  query: pageQuery.extend({ status: z.enum(ASSET_BURN_STATUSES).default("QUEUED") }),
  answers: { 200: { description: "A page of burns", schema: pageOf(burn) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listAssetBurns(ctx, query.status, { limit: query.limit, after: after.value });
    return json({ items: page.items.map((row) => presentAssetWork(row)), nextCursor: page.nextCursor });
  },
});
