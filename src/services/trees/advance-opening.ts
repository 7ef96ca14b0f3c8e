import { judgeLookupTable } from "#domain/chain-suitability";
import type { TreeMessage } from "#domain/tree-messages";
import { findTree, storeLookupTable, storeTreeError, storeTreeOpened, type TenantTree } from "#storage/tenant-trees";
import type { ChooseTreeContext } from "./choose-tree.ts";

/**
 * Takes the next step in making a tree: sends its transaction, or finds the tree on chain and opens it; then makes its lookup table,
 * which nobody waits for. Safe to repeat and to run twice at once, because the tree's address was fixed before and the chain makes an
 * account once; two tables would be alike, and cost their rent.
 * @returns `later` until both are on chain.
 * @throws when D1 or the chain can't be reached, or a node refuses the table, as it does one of two made at once.
 */
export async function advanceOpening(ctx: ChooseTreeContext, { address }: TreeMessage): Promise<"settled" | "later"> {
  const tree = await findTree(ctx.db, address);
  if (tree === undefined || (tree.status !== "OPENING" && tree.lookupTableAddress !== null)) return "settled";
  const isOurs = (await ctx.treeKeeper.deriveTreeAddress(tree)) === address;
  if (tree.status !== "OPENING") return isOurs ? openLookupTable(ctx, tree) : "settled";
  // A tree of another wallet cannot be made by this one: after a change of wallets the address derives to something else.
  if (!isOurs) {
    await storeTreeError(ctx.db, address, "it was to be made by another wallet; ask for a tree again", ctx.nowMs);
    return "settled";
  }
  const complaint = await ctx.treeKeeper.openTree(tree, tree);
  if (complaint === null) {
    await storeTreeOpened(ctx.db, tree, ctx.nowMs);
    return openLookupTable(ctx, tree);
  }
  await storeTreeError(ctx.db, address, complaint, ctx.nowMs);
  return "later";
}

async function openLookupTable(ctx: ChooseTreeContext, { address }: TenantTree): Promise<"settled" | "later"> {
  const table = await ctx.treeKeeper.openLookupTable(address);
  if (table === null) return "later";
  const problems = judgeLookupTable(await ctx.treeKeeper.inspectLookupTable(table, address), "lookupTableAddress");
  if (problems.length > 0) return "later";
  await storeLookupTable(ctx.db, address, table, ctx.nowMs);
  return "settled";
}
