import { z } from "@hono/zod-openapi";
import { acceptTransfer } from "#services/transfer/accept-transfer";
import { defineRoute } from "../../route.ts";
import { id, json, walletAddress } from "../../schemas.ts";
import { presentTransfer, transferShape } from "./transfer-shape.ts";

export const accept = defineRoute({
  method: "post",
  path: "/api/v1/transfer/{id}/accept",
  summary: "Accept an offer: the ticket is the caller's, and the old owner's code is dead",
  who: "A",
  tier: "write",
  params: z.object({ id }),
  body: z.strictObject({ walletAddress: walletAddress.optional() }),
  isBodyOptional: true,
  answers: { 200: { description: "The accepted offer", schema: transferShape } },
  async handle({ ctx, params, body }) {
    const accepted = await acceptTransfer(ctx, { transferId: params.id, walletAddress: body.walletAddress ?? null });
    return accepted.ok ? json(presentTransfer(accepted.value)) : accepted.failure;
  },
});
