import { z } from "@hono/zod-openapi";
import { findNftMetadata } from "#services/mint/nft-metadata";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";

export const nftMetadata = defineRoute({
  method: "get",
  path: "/nft/{ticketId}",
  summary: "The metadata that a ticket's leaf on Solana points at; no personal data",
  who: "P",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: {
    200: {
      description: "Metaplex JSON metadata",
      schema: z.looseObject({ name: z.string(), symbol: z.string(), description: z.string(), image: z.string() }),
    },
  },
  async handle({ ctx, params }) {
    const metadata = await findNftMetadata(ctx, params.ticketId);
    if (!metadata.ok) return metadata.failure;
    return json(metadata.value, 200, { "cache-control": "public, max-age=300", "access-control-allow-origin": "*" });
  },
});
