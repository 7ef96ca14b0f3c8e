import { z } from "@hono/zod-openapi";
import { encodeBase58 } from "#domain/base58";
import { findMintedAsset, type MintedAssetView } from "#services/mint/find-minted-asset";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { mintShape, presentMint } from "./mint-shape.ts";

const mintedAsset = mintShape
  .extend({
    treeAddress: z.string().nullable(),
    ownerAddress: z.string().nullable().openapi({ description: "Wallet that has the asset; null also when it is burnt." }),
    root: z.string().nullable().openapi({ description: "Of the tree, when it was last looked at: 32 bytes in base58." }),
    explorerUrl: z.string().nullable().openapi({ description: "Of the transaction that mints the asset." }),
  })
  .openapi("MintedAsset");

function presentAsset({ onChain, explorerUrl, ...job }: MintedAssetView): z.input<typeof mintedAsset> {
  return {
    ...presentMint(job),
    treeAddress: onChain?.treeAddress ?? null,
    ownerAddress: onChain?.ownerAddress ?? null,
    root: onChain ? encodeBase58(onChain.root) : null,
    explorerUrl,
  };
}

export const getMint = defineRoute({
  method: "get",
  path: "/mint/{ticketId}",
  summary: "Where an own ticket's mint stands, and who has the asset",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "The mint job and its asset", schema: mintedAsset } },
  async handle({ ctx, params }) {
    const found = await findMintedAsset(ctx, params.ticketId);
    return found.ok ? json(presentAsset(found.value)) : found.failure;
  },
});
