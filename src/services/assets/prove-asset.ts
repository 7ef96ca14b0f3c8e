import type { TreeState } from "#chain/tree-account";
import { climb, emptyNode, isSameNode, listProofPlaces, renewProofSince } from "#domain/merkle-tree";
import type { AssetPlace, LeafProof } from "#domain/tree-changes";
import { findIndexedLeaf } from "#storage/tree-index";
import { rereadTree, type TreeContext } from "./follow-tree.ts";

/**
 * Finds an asset's leaf and proves it under the root that the tree's account has now, in the newest confirmed block. What is
 * stored may be as old as the changes that the account remembers, as long as none of them touched this leaf: the proof is
 * brought up to date with each. If what is stored does not give the root that the account had then, it is wrong, and the tree is
 * read again.
 * @param sinceSeq number of a change of the tree that must have been seen.
 * @throws when D1 or the node can't be reached.
 */
export async function proveAsset(
  ctx: Pick<TreeContext, "d1" | "trees" | "logger" | "nowMs">,
  assetId: string,
  sinceSeq: number,
): Promise<AssetPlace> {
  const found = await findIndexedLeaf(ctx.d1, assetId);
  if (found === undefined || found.tree.seq < sinceSeq) return { kind: "unclear" };
  const { tree, leaf, isBurnt, nodes } = found;
  // An empty leaf stays empty: no instruction fills it again.
  if (isBurnt) return { kind: "burnt" };
  const state = await ctx.trees.readState(tree.address, tree);
  const then = state.recent.find(({ seq }) => seq === tree.seq);
  const leafHash = ctx.trees.hashLeaf(leaf);
  const proof = listProofPlaces(tree.depth, leaf.leafIndex).map((place, level) => nodes.get(place) ?? emptyNode(level));
  const isStillThere = renewProofSince(proof, leaf.leafIndex, state.recent, tree.seq) !== undefined;
  if (then === undefined || !isStillThere) return { kind: "unclear" };
  if (!isSameNode(climb(leafHash, proof, leaf.leafIndex).root, then.root)) {
    await rereadTree(ctx, tree, tree.seq);
    return { kind: "unclear" };
  }
  const { address, canopyDepth } = tree;
  const renewed = renewUnderAccount({ tree: address, canopyDepth, leaf, leafHash, proof }, state, tree.seq);
  return renewed === undefined ? { kind: "unclear" } : { kind: "proven", proof: renewed, isFinal: true };
}

/**
 * A proof under the newest root that the tree's account has.
 * @param known a leaf with its proof as they were after the account's change number `seq`.
 * @returns undefined when the leaf itself has changed since.
 */
export function renewUnderAccount(
  known: Omit<LeafProof, "root" | "seq">,
  { recent, root, seq: newestSeq }: TreeState,
  seq: number,
): LeafProof | undefined {
  const { leafHash, leaf } = known;
  const proof = renewProofSince(known.proof, leaf.leafIndex, recent, seq);
  if (proof === undefined || !isSameNode(climb(leafHash, proof, leaf.leafIndex).root, root)) return undefined;
  return { ...known, proof, root, seq: newestSeq };
}
