import { z } from "@hono/zod-openapi";
import { MINT_STATUSES } from "#domain/statuses";
import { queueMintRequest } from "#services/mint/queue-mint-request";
import { defineRoute } from "../../route.ts";
import { id, json, REPLAYED } from "../../schemas.ts";

const queued = z.object({ items: z.array(z.object({ ticketId: id, status: z.enum(MINT_STATUSES) })) });

/** Which mints are meant: these tickets', or those of one order. */
const selection = z
  .strictObject({ ticketIds: z.array(id).min(1).max(100).optional(), orderId: id.optional() })
  .transform(({ ticketIds, orderId }, context) => {
    if (ticketIds !== undefined && orderId === undefined) return { ticketIds };
    if (ticketIds === undefined && orderId !== undefined) return { orderId };
    context.addIssue({ code: "custom", path: ["orderId"], message: "either ticketIds or orderId" });
    return z.NEVER;
  })
  .openapi("MintRequest");

export const queueJobs = defineRoute({
  method: "post",
  path: "/mint",
  summary: "Queue again what is not minted",
  who: "O",
  tier: "write",
  needsIdempotencyKey: true,
  body: selection,
  answers: { 202: { description: "The jobs and their status now; repeating this does no harm", schema: queued } },
  async handle({ ctx, body, identify }) {
    const answered = await queueMintRequest(ctx, { request: identify(), selection: body });
    if (!answered.ok) return answered.failure;
    return json(answered.value.queued, 202, answered.value.replayed ? REPLAYED : {});
  },
});
