import { z } from "@hono/zod-openapi";
import { MINT_STATUSES } from "#domain/statuses";
import { listMintJobs } from "#services/mint/list-mint-jobs";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { json, pageOf, pageQuery } from "../../schemas.ts";
import { mintShape, presentMint } from "./mint-shape.ts";

export const listJobs = defineRoute({
  method: "get",
  path: "/mint/jobs",
  summary: "The tenant's mint jobs in one status, the longest waiting first",
  who: "O",
  tier: "read",
  query: pageQuery.extend({ status: z.enum(MINT_STATUSES).default("FAILED") }),
  answers: { 200: { description: "A page of mint jobs", schema: pageOf(mintShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listMintJobs(ctx, query.status, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentMint), nextCursor: page.nextCursor });
  },
});
