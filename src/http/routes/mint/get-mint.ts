import { z } from "@hono/zod-openapi";
import { findMint } from "#services/mint/find-mint";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { mintShape, presentMint } from "./mint-shape.ts";

export const getMint = defineRoute({
  method: "get",
  path: "/mint/{ticketId}",
  summary: "Where an own ticket's mint stands",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "The mint job", schema: mintShape } },
  async handle({ ctx, params }) {
    const job = await findMint(ctx, params.ticketId);
    return job.ok ? json(presentMint(job.value)) : job.failure;
  },
});
