import { z } from "@hono/zod-openapi";
import { previewScan } from "#services/door/preview-scan";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { listId, presentScan, qr, scanShape } from "./scan-shape.ts";

/** A look at a code that changes nothing. */
export const preview = defineRoute({
  method: "post",
  path: "/api/v1/qr/validate",
  summary: "Says what scanning a code for entry would answer, and changes nothing.",
  who: "D",
  tier: "scan",
  body: z.strictObject({ qr, listId: listId.optional() }),
  answers: { 200: { description: "What a scan would answer, without a receipt.", schema: scanShape } },
  async handle({ ctx, body }) {
    const answer = await previewScan(ctx, { qr: body.qr, listId: body.listId ?? null });
    return answer.ok ? json(presentScan(answer.value)) : answer.failure;
  },
});
