import { z } from "@hono/zod-openapi";
import { parseSignature } from "#domain/wallet-claim";
import { claimTicket } from "#services/claim/claim-ticket";
import { defineRoute } from "../../route.ts";
import { id, json, presentTime } from "../../schemas.ts";

const signature = z
  .string()
  .max(88)
  .transform((text, context) => {
    const bytes = parseSignature(text);
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: "custom", message: "not 64 bytes in base58 or base64" });
    return z.NEVER;
  })
  .openapi({ type: "string", description: "Ed25519 over the message: 64 bytes in base58, or in base64 with padding." });

const claimShape = z.object({ ticketId: id, walletAddress: z.string(), claimedAt: z.iso.datetime() }).openapi("WalletClaim");

export const claim = defineRoute({
  method: "post",
  path: "/api/v1/tickets/{ticketId}/claim",
  summary: "Take an own ticket's NFT into the wallet that signed the message; it is moved, or minted there, behind the answer",
  who: "A",
  tier: "write",
  params: z.object({ ticketId: id }),
  body: z.strictObject({ message: z.string().min(1).max(2_000), signature }),
  answers: { 200: { description: "The ticket's wallet from now on", schema: claimShape } },
  async handle({ ctx, params, body }) {
    const claimed = await claimTicket(ctx, { ...params, ...body });
    if (!claimed.ok) return claimed.failure;
    const { claimedAtMs, ...rest } = claimed.value;
    return json({ ...rest, claimedAt: presentTime(claimedAtMs) });
  },
});
