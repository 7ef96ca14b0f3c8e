import { z } from "@hono/zod-openapi";
import { issueChallenge } from "#services/claim/issue-challenge";
import { defineRoute } from "../../route.ts";
import { id, json, presentTime, walletAddress } from "../../schemas.ts";

const challengeShape = z
  .object({
    nonce: z.string(),
    message: z.string().openapi({ description: "To be signed by the wallet, byte for byte in UTF-8 (Sign-In With Solana)." }),
    expiresAt: z.iso.datetime(),
  })
  .openapi("WalletChallenge");

export const challenge = defineRoute({
  method: "post",
  path: "/api/v1/tickets/{ticketId}/claim/challenge",
  summary: "A message for a wallet to sign that wants an own ticket's NFT; it ends the one given before",
  who: "A",
  tier: "write",
  params: z.object({ ticketId: id }),
  body: z.strictObject({ walletAddress }),
  answers: { 201: { description: "The message, good for one claim within ten minutes", schema: challengeShape } },
  async handle({ ctx, params, body }) {
    const issued = await issueChallenge(ctx, { ...params, ...body });
    if (!issued.ok) return issued.failure;
    const { expiresAtMs, ...rest } = issued.value;
    return json({ ...rest, expiresAt: presentTime(expiresAtMs) }, 201);
  },
});
