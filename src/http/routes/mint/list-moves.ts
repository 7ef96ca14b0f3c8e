import { z } from "@hono/zod-openapi";
import { ASSET_MOVE_STATUSES } from "#domain/statuses";
import { parseCursor } from "#services/page";
import { listAssetMoves } from "#services/transfer/list-asset-moves";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { assetWork, presentAssetWork } from "./asset-work-shape.ts";

const move = assetWork.extend({
  transferId: id,
  fromAddress: z.string().nullable().openapi({ description: "Null: in the custody of the service's wallet." }),
  toAddress: z.string().nullable(),
  status: z.enum(ASSET_MOVE_STATUSES),
});

export const listMoves = defineRoute({
  method: "get",
  path: "/mint/moves",
  summary: "Assets that must follow their transferred tickets to another wallet, the longest waiting first",
  who: "O",
  tier: "read",
  query: pageQuery.extend({ status: z.enum(ASSET_MOVE_STATUSES).default("QUEUED") }),
  answers: { 200: { description: "A page of moves", schema: pageOf(move) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listAssetMoves(ctx, query.status, { limit: query.limit, after: after.value });
    return json({ items: page.items.map((row) => presentAssetWork(row)), nextCursor: page.nextCursor });
  },
});
