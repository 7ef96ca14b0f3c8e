import type { TreeState } from "#chain/tree-account";
import type { TreeSource } from "#chain/tree-source";
import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { AssetPlace, LeafProof } from "#domain/tree-changes";
import { findTreeOfTicket } from "#storage/tree-index";
import { AgedMap } from "../aged-map.ts";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { findMint } from "../mint/find-mint.ts";
import { proveAsset } from "./prove-asset.ts";
import { proveByDas } from "./prove-by-das.ts";

/** A ticket's leaf and its proof, which anyone can check against the tree's account. */
export interface TicketProof extends LeafProof {
  readonly ticketId: string;
}

/** A tree that few changes were made to is followed in about a second. */
const RETRY_AFTER_SECONDS = 5;

/** Anybody with a ticket may ask, and each reading of a tree's account would take a call from the quota that mints live on. */
const states = new AgedMap<TreeState>({ maxEntries: 10, freshForMs: 1_000, refreshForMs: 1_000, usableForMs: 2_000 });

/**
 * The Merkle proof of a ticket's asset, checked against the tree's account as it is now, or was up to two seconds ago: one's own, or any
 * of the tenant for a venue manager or above. While our index is behind the chain, it is made of what a node's own index says, if that proves right; and the tree is
 * followed at once and not in its next minute. Refuses `not_found`, `ticket_not_minted` (also when its asset is burnt), and
 * `proof_not_ready` when neither index is good enough, or the chain is away.
 */
export async function findProof(ctx: SignedInContext, ticketId: string): Promise<Result<TicketProof, Failure>> {
  const mint = await findMint(ctx, ticketId);
  if (!mint.ok) return mint;
  const { assetId } = mint.value;
  if (assetId === null) return refuse({ code: "ticket_not_minted" });
  const place = await attempt(prove(ctx, ticketId, assetId));
  if (!place.ok) ctx.logger.warn("the chain did not answer for a proof", { ticketId, error: place.failure });
  if (!place.ok || place.value.kind === "unclear") {
    return refuse({ code: "proof_not_ready", retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
  return place.value.kind === "burnt" ? refuse({ code: "ticket_not_minted" }) : succeed({ ticketId, ...place.value.proof });
}

async function prove(ctx: SignedInContext, ticketId: string, assetId: string): Promise<AssetPlace> {
  const { trees, das } = await ctx.assetChain();
  const place = await attempt(proveByIndex(ctx, trees, assetId));
  if (place.ok && place.value.kind !== "unclear") return place.value;
  const tree = (await findTreeOfTicket(ctx.db, { tenantId: ctx.principal.tenantId, ticketId })) ?? ctx.defaultTree;
  await attempt(ctx.assetQueue.sendBatch([{ body: { treeAddress: tree } }]));
  if (!place.ok) throw place.failure;
  return proveByDas({ ...ctx, trees, das }, { assetId, tree }, 0);
}

/** By our own index. A state remembered from before what the index has heard of proves nothing: then it is read anew. */
async function proveByIndex(ctx: SignedInContext, trees: TreeSource, assetId: string): Promise<AssetPlace> {
  const remembered = new Set<string>();
  const source: TreeSource = {
    ...trees,
    async readState(tree, shape) {
      const known = states.find(tree, ctx.nowMs);
      if (known) remembered.add(tree);
      const state = known ?? (await trees.readState(tree, shape));
      if (!known) states.store(tree, state, ctx.nowMs);
      return state;
    },
  };
  const place = await proveAsset({ ...ctx, trees: source }, assetId, 0);
  if (place.kind !== "unclear" || remembered.size === 0) return place;
  for (const tree of remembered) states.forget(tree);
  return proveAsset({ ...ctx, trees: source }, assetId, 0);
}
