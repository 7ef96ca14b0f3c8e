import { z } from "@hono/zod-openapi";
import { encodeBase58 } from "#domain/base58";
import { findProof, type TicketProof } from "#services/assets/find-proof";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";

const hash = z.string().openapi({ description: "32 bytes in base58" });
const proof = z
  .object({
    ticketId: id,
    assetId: z.string(),
    treeAddress: z.string(),
    ownerAddress: z.string(),
    leafIndex: z.int(),
    leafHash: hash,
    root: hash.openapi({ description: "The tree's root after its change number `seq`" }),
    seq: z.int(),
    proof: z.array(hash).openapi({ description: "Siblings of the leaf's path, from the leaf's own up to just under the root" }),
  })
  .openapi("MintProof", {
    description:
      "Keccak-256 over two nodes side by side gives the node over them; a node is a left one when its bit of `leafIndex` is 0.",
  });

function presentProof({ ticketId, tree, leaf, seq, ...nodes }: TicketProof): z.input<typeof proof> {
  return {
    ticketId,
    assetId: leaf.assetId,
    treeAddress: tree,
    ownerAddress: leaf.ownerAddress,
    leafIndex: leaf.leafIndex,
    leafHash: encodeBase58(nodes.leafHash),
    root: encodeBase58(nodes.root),
    seq,
    proof: nodes.proof.map((node) => encodeBase58(node)),
  };
}

export const getProof = defineRoute({
  method: "get",
  path: "/mint/{ticketId}/proof",
  summary: "A Merkle proof of an own ticket's asset, which anyone can check against the tree on chain",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "The proof, under the root that the tree has now", schema: proof } },
  async handle({ ctx, params }) {
    const found = await findProof(ctx, params.ticketId);
    return found.ok ? json(presentProof(found.value)) : found.failure;
  },
});
