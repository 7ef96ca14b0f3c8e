import type { TreeMessage } from "#domain/tree-messages";
import { findTree, storeTreeError, storeTreeOpened } from "#storage/tenant-trees";
import type { ChooseTreeContext } from "./choose-tree.ts";

/**
 * Takes the next step in making a tree: sends its transaction, or finds the tree on chain and opens it. Safe to repeat and to run
 * twice at once, because the tree's address was fixed before and the chain makes an account once.
 * @returns `later` until it is on chain.
 * @throws when D1 or the chain can't be reached.
 */
export async function advanceOpening(ctx: ChooseTreeContext, { address }: TreeMessage): Promise<"settled" | "later"> {
  const tree = await findTree(ctx.db, address);
  if (tree?.status !== "OPENING") return "settled";
  // A tree of another wallet cannot be made by this one: after a change of wallets the address derives to something else.
  if ((await ctx.treeKeeper.deriveTreeAddress(tree)) !== address) {
    await storeTreeError(ctx.db, address, "it was to be made by another wallet; ask for a tree again", ctx.nowMs);
    return "settled";
  }
  const complaint = await ctx.treeKeeper.openTree(tree, tree);
  if (complaint === null) {
    await storeTreeOpened(ctx.db, tree, ctx.nowMs);
    return "settled";
  }
  await storeTreeError(ctx.db, address, complaint, ctx.nowMs);
  return "later";
}
