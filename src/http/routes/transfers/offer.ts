import { z } from "@hono/zod-openapi";
import { offerTransfer } from "#services/transfer/offer-transfer";
import { toRefusal } from "../../problem.ts";
import { defineRoute } from "../../route.ts";
import { id, json, REPLAYED } from "../../schemas.ts";
import { presentTransfer, transferShape } from "./transfer-shape.ts";

const offerBody = z
  .strictObject({ ticketId: id, toUserId: id.optional(), toEmail: z.email().max(254).optional() })
  .refine(({ toUserId, toEmail }) => (toUserId === undefined) !== (toEmail === undefined), {
    error: "either toUserId or toEmail",
    path: ["toUserId"],
  })
  .openapi("TransferRequest");

export const offer = defineRoute({
  method: "post",
  path: "/api/v1/transfer",
  summary: "Offer an own ticket to another user, by user id or e-mail address",
  who: "A",
  tier: "write",
  needsIdempotencyKey: true,
  body: offerBody,
  answers: { 201: { description: "The open offer; the ticket changes hands when it is accepted", schema: transferShape } },
  async handle({ ctx, body, identify }) {
    const { ticketId, toUserId = null, toEmail = null } = body;
    const to = { toUserId, toEmail };
    const offered = await offerTransfer(ctx, { request: identify(), ticketId, to });
    if (!offered.ok) return toRefusal(offered);
    return json(presentTransfer(offered.value), 201, offered.replayed ? REPLAYED : {});
  },
});
