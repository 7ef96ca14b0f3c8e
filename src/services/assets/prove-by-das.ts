import type { DasSource } from "#chain/das-source";
import { climb, isSameNode } from "#domain/merkle-tree";
import type { AssetPlace } from "#domain/tree-changes";
import { findFollowedTree } from "#storage/tree-index";
import type { TreeContext } from "./follow-tree.ts";
import { renewUnderAccount } from "./prove-asset.ts";

/** What proving an asset without our own index may reach. */
export interface DasContext extends Pick<TreeContext, "db" | "trees" | "logger"> {
  readonly das: DasSource;
}

/**
 * Proves an asset's leaf by what a node's index says of it, for when our own is behind or has a gap. Of the answer nothing counts that
 * the tree's account does not bear out: the fields must hash to a leaf from which the proof leads to a root that the account had, and
 * the leaf must not have changed since. So an index that lags, errs or lies ends as `unclear`, as one that does not answer.
 * @param asset its tree is where we know that it was minted, whatever the index says.
 * @param sinceSeq number of a change of the tree that must have been seen.
 * @returns `proven`, not finally: an index shows confirmed blocks; or `unclear`.
 * @throws when D1 or the node can't be reached.
 */
export async function proveByDas(
  ctx: DasContext,
  asset: { readonly assetId: string; readonly tree: string },
  sinceSeq: number,
): Promise<AssetPlace> {
  const told = await ctx.das.findLeaf(asset.assetId);
  const shape = told && ((await findFollowedTree(ctx.db, asset.tree)) ?? (await ctx.trees.findShape(asset.tree)));
  if (told === undefined || shape === undefined) return { kind: "unclear" };
  // Read after the index has answered, so that the account is as new as what it says.
  const state = await ctx.trees.readState(asset.tree, shape);
  const { leaf, proof } = told;
  const leafHash = ctx.trees.hashLeaf(leaf);
  const { root } = climb(leafHash, proof, leaf.leafIndex);
  const then = state.recent.findLast((change) => isSameNode(change.root, root));
  const isOfTree = told.tree === asset.tree && proof.length === shape.depth;
  if (then === undefined || !isOfTree) {
    ctx.logger.warn("what an index says of an asset does not lead to a root of its tree", { ...asset, toldTree: told.tree });
    return { kind: "unclear" };
  }
  const { canopyDepth } = shape;
  const renewed = renewUnderAccount({ tree: asset.tree, canopyDepth, leaf, leafHash, proof }, state, then.seq);
  return renewed === undefined || renewed.seq < sinceSeq
    ? { kind: "unclear" }
    : { kind: "proven", proof: renewed, isFinal: false };
}
