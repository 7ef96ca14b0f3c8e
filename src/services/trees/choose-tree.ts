import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { TreeKeeper } from "#chain/tree-keeper";
import { capacityOf, chooseTreeShape, isNearlyFull, saysTreeIsFull, type TreeShape } from "#domain/tree-shape";
import type { Logger } from "#platform/logger";
import {
  findActiveTree,
  findTree,
  insertTenantTree,
  listTenantTrees,
  raiseMintedCount,
  retireTree,
  type TenantTree,
} from "#storage/tenant-trees";

/** What choosing a tree may reach. */
export interface ChooseTreeContext {
  readonly db: DrizzleD1Database;
  readonly treeKeeper: TreeKeeper;
  readonly nowMs: number;
}

/** A tree to mint into, and its lookup table where it has one. */
export interface ChosenTree {
  readonly address: string;
  readonly lookupTableAddress: string | null;
}

/** Tickets that the first tree of a tenant is sized for, when nobody has said how many there will be. */
const DEFAULT_TICKETS = 10_000;

/**
 * Says into which tree a tenant's next ticket goes: the one in use, or the next when that is nearly full, or the tree of the
 * configuration for a tenant that never had one. One that waits for its first goes on with that tree as long as it has room.
 * @returns undefined while the tenant's last tree is full and no other is open.
 * @throws when the chain must be asked and can't be reached.
 */
export async function chooseTree(ctx: ChooseTreeContext, tenantId: string): Promise<ChosenTree | undefined> {
  const active = await findActiveTree(ctx.db, tenantId);
  if (active !== undefined && !isNearlyFull(active)) return active;
  const trees = await listTenantTrees(ctx.db, tenantId);
  if (active === undefined) return chooseDefaultTree(ctx, trees);
  // Without another to go on with it is filled to the last leaf.
  if (!trees.some((tree) => tree.status === "OPEN")) return active;
  await retireTree(ctx.db, active, ctx.nowMs);
  return findActiveTree(ctx.db, tenantId);
}

/** The first tree may never come, where the wallet cannot pay its rent. It may also have been asked for because this one is full. */
async function chooseDefaultTree(
  { treeKeeper }: ChooseTreeContext,
  trees: readonly TenantTree[],
): Promise<ChosenTree | undefined> {
  const { defaultTreeAddress: address, defaultLookupTableAddress: lookupTableAddress } = treeKeeper;
  if (trees.length === 0) return { address, lookupTableAddress };
  if (trees.some((tree) => tree.status !== "OPENING")) return undefined;
  const found = await treeKeeper.inspectTree(address);
  const isFit = found !== "missing" && found !== "other" && !isNearlyFull({ ...found, capacity: capacityOf(found) });
  return isFit ? { address, lookupTableAddress } : undefined;
}

/**
 * Looks at a mint's error: when it says that the tree is full and the chain agrees, the tree is taken out of use and the
 * tenant's next one into use. Without a next one it is asked for.
 *
 * A node's complaint alone decides nothing, because a wrong one would waste a tree.
 * @param mint.ticketCount tickets of the transaction: a tree without room for all of them refuses them all.
 * @returns true when the tree has no such room.
 */
export async function noteFullTree(
  ctx: ChooseTreeContext & { readonly logger?: Logger },
  mint: { readonly tenantId: string; readonly treeAddress: string; readonly ticketCount: number },
  error: string,
): Promise<boolean> {
  if (!saysTreeIsFull(error)) return false;
  const { tenantId, treeAddress: address, ticketCount } = mint;
  const found = await ctx.treeKeeper.inspectTree(address);
  if (found === "missing" || found === "other" || capacityOf(found) - found.mintedCount >= ticketCount) return false;
  await raiseMintedCount(ctx.db, address, found.mintedCount);
  const known = await findTree(ctx.db, address);
  if (known !== undefined) await retireTree(ctx.db, known, ctx.nowMs);
  if ((await findActiveTree(ctx.db, tenantId)) === undefined) {
    ctx.logger?.error("a tree is full and none is open", { alert: "tree_full", tenantId, tree: address });
    await requestNextTree(ctx, tenantId, { number: known?.number ?? 0, shape: known ?? chooseTreeShape(DEFAULT_TICKETS) });
  }
  return true;
}

/**
 * Asks for the tree that follows one of the tenant's; the chain-jobs queue and the cron see to it. Of many that ask after the same
 * tree, at once or later, one makes the row: whether there is a next one and what its number is are read in one look.
 * @returns the next tree's address.
 */
export async function requestNextTree(
  ctx: ChooseTreeContext,
  tenantId: string,
  after: { readonly number: number; readonly shape: TreeShape },
): Promise<string> {
  const trees = await listTenantTrees(ctx.db, tenantId);
  const next = trees.find((tree) => tree.number > after.number && tree.status !== "FULL");
  if (next !== undefined) return next.address;
  const number = (trees.at(-1)?.number ?? 0) + 1;
  return requestTree(ctx, { tenantId, number, shape: after.shape, requestId: null });
}

/** Writes down that the service is to make a tree of the tenant's. @returns its address, which is known before it is made. */
export async function requestTree(
  ctx: ChooseTreeContext,
  tree: { readonly tenantId: string; readonly number: number; readonly shape: TreeShape; readonly requestId: string | null },
): Promise<string> {
  const { tenantId, number, shape, requestId } = tree;
  const address = await ctx.treeKeeper.deriveTreeAddress({ tenantId, number });
  const { depth, bufferSize, canopyDepth } = shape;
  const measures = { depth, bufferSize, canopyDepth, capacity: capacityOf(shape), mintedCount: 0 };
  // Of two at once the second finds the first one's row: both have asked for the same tree.
  await insertTenantTree(ctx.db, { address, tenantId, number, ...measures, requestId, status: "OPENING" }, ctx.nowMs);
  return address;
}
