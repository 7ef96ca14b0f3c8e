import { z } from "@hono/zod-openapi";
import { MINT_STATUSES } from "#domain/statuses";
import { listMintJobs } from "#services/mint/list-mint-jobs";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { mintShape, presentMint } from "./mint-shape.ts";

export const listJobs = defineRoute({
  method: "get",
  path: "/mint/jobs",
  summary: "The tenant's mint jobs in one status",
  who: "O",
  tier: "read",
  query: pageQuery.extend({ status: z.enum(MINT_STATUSES).default("FAILED"), cursor: id.optional() }),
  answers: { 200: { description: "A page of mint jobs", schema: pageOf(mintShape) } },
  async handle({ ctx, query }) {
    const page = await listMintJobs(ctx, { status: query.status, limit: query.limit, cursor: query.cursor ?? null });
    return json({ items: page.items.map(presentMint), nextCursor: page.nextCursor });
  },
});
