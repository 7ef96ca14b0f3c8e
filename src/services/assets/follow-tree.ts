import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { TreeState } from "#chain/tree-account";
import type { TreeSource } from "#chain/tree-source";
import { isSameNode, listProofPlaces, SparseTree } from "#domain/merkle-tree";
import { applyChanges, selectNextChanges, type NextChanges, type TreeChange } from "#domain/tree-changes";
import type { Logger } from "#platform/logger";
import {
  findFollowedTree,
  insertFollowedTree,
  loadTreeNodes,
  resetFollowedTree,
  storePassedSignature,
  storeTreeChanges,
  type FollowedTree,
} from "#storage/tree-index";

/** What following a tree may reach. */
export interface TreeContext {
  readonly db: DrizzleD1Database;
  /** The same database, for statements that drizzle has no words for. */
  readonly d1: D1Database;
  readonly trees: TreeSource;
  readonly logger: Logger;
  readonly nowMs: number;
}

/** Bounds of one run: an invocation may make about 1,000 calls, and five messages share one. What is left over comes with the next. */
const TRANSACTIONS_A_RUN = 150;
const CALLS_AT_ONCE = 6;
const CHANGES_A_WRITE = 100;
const ROOT_PLACE = 1;

/**
 * Brings what D1 holds of a tree up to the last finalized block, from plain RPC. Each change's root is computed here and compared
 * with the one that the chain logged, and in the end with the tree's own account: if they differ, what was stored is thrown away
 * and read again. A change that no node shows holds up those behind it until a later run finds it: nothing is skipped.
 * Transactions that only name the tree, which anyone may send, are passed over, however many there are.
 *
 * May run any number of times at once; of those who store the same changes one does (docs/adr/0019).
 * @returns true when more was to be read than one run may; false too when there is no such tree on chain.
 * @throws when D1 or the node can't be reached.
 */
export async function followTree(ctx: TreeContext, address: string): Promise<boolean> {
  const tree = await findOrBegin(ctx, address);
  if (tree === undefined) return false;
  const state = await ctx.trees.readState(address, tree);
  if (state.seq === tree.seq) return compareWithAccount(ctx, tree, state);
  const { next, missingSeq, hasMore, passed } = await readNext(ctx, tree);
  if (next.length === 0 && passed !== tree.passedSignature) await storePassedSignature(ctx.db, tree, passed);
  if (missingSeq !== null) ctx.logger.warn("a change of a tree was not read", { tree: address, missingSeq });
  let reached = tree;
  for (let start = 0; start < next.length; start += CHANGES_A_WRITE) {
    const stored = await store(ctx, reached, next.slice(start, start + CHANGES_A_WRITE));
    if (stored === undefined) return true;
    reached = stored;
  }
  return (await compareWithAccount(ctx, reached, await ctx.trees.readState(address, tree))) || hasMore;
}

async function findOrBegin(ctx: TreeContext, address: string): Promise<FollowedTree | undefined> {
  const known = await findFollowedTree(ctx.db, address);
  if (known !== undefined) return known;
  const shape = await ctx.trees.findShape(address);
  if (shape === undefined) return undefined;
  await insertFollowedTree(ctx.db, { address, ...shape }, ctx.nowMs);
  return findFollowedTree(ctx.db, address);
}

/** What a run has found of a tree. */
interface FoundChanges extends NextChanges {
  readonly hasMore: boolean;
  /** The last of the transactions that were read in vain; null when the next run is to begin behind the last stored change. */
  readonly passed: string | null;
}

/** The changes that follow the last one stored. When one is missing among those of the first node, the others are asked what it leaves out. */
async function readNext(ctx: TreeContext, tree: FollowedTree): Promise<FoundChanges> {
  const { address, slot, seq, passedSignature } = tree;
  const all = await ctx.trees.listSignatures(address, slot);
  // One that this node does not list is at no place: then nothing is passed over.
  const fresh = passedSignature === null ? all : all.slice(all.indexOf(passedSignature) + 1);
  const { changes, lastSignature } = await readChanges(ctx, address, fresh);
  const hasMore = fresh.length > TRANSACTIONS_A_RUN;
  const found = selectNextChanges(seq, changes);
  if (found.missingSeq === null) return { ...found, hasMore, passed: hasMore ? (lastSignature ?? passedSignature) : null };
  const leftOut = await readChanges(ctx, address, await ctx.trees.listLeftOut(address, slot, all));
  // A change that a node left out may lie before what was passed over: then the next run begins again.
  return { ...selectNextChanges(seq, [...changes, ...leftOut.changes]), hasMore, passed: null };
}

/** The changes of the first of these transactions, and the last of them; null unless nodes could show it and all before it. */
async function readChanges(
  { trees }: TreeContext,
  address: string,
  listed: readonly string[],
): Promise<{ readonly changes: readonly TreeChange[]; readonly lastSignature: string | null }> {
  const signatures = listed.slice(0, TRANSACTIONS_A_RUN);
  const changes: TreeChange[] = [];
  let isWhole = true;
  for (let start = 0; start < signatures.length; start += CALLS_AT_ONCE) {
    const group = signatures.slice(start, start + CALLS_AT_ONCE);
    const read = await Promise.all(group.map((signature) => trees.readChanges(address, signature)));
    changes.push(...read.flatMap((found) => found ?? []));
    isWhole &&= !read.includes(undefined);
  }
  return { changes, lastSignature: isWhole ? (signatures.at(-1) ?? null) : null };
}

/** @returns the tree after these changes; undefined when they were not stored. */
async function store(ctx: TreeContext, tree: FollowedTree, changes: readonly TreeChange[]): Promise<FollowedTree | undefined> {
  const last = changes.at(-1);
  if (last === undefined) return tree;
  const places = new Set(changes.flatMap(({ index }) => listProofPlaces(tree.depth, index)));
  const sparse = new SparseTree(tree.depth, await loadTreeNodes(ctx.db, tree.address, [...places]));
  const wrongSeq = applyChanges(sparse, changes);
  if (wrongSeq !== undefined) {
    await rereadTree(ctx, tree, wrongSeq);
    return undefined;
  }
  const isStored = await storeTreeChanges(ctx.d1, tree, changes, sparse.listChanged(), ctx.nowMs);
  return isStored ? { ...tree, seq: last.seq, slot: last.slot, passedSignature: null } : undefined;
}

/** The account is the chain's own word; it remembers the roots after its last changes. @returns true when all must be read again. */
async function compareWithAccount(ctx: TreeContext, tree: FollowedTree, state: TreeState): Promise<boolean> {
  const sameMoment = state.recent.find(({ seq }) => seq === tree.seq);
  const root = (await loadTreeNodes(ctx.db, tree.address, [ROOT_PLACE])).get(ROOT_PLACE);
  if (sameMoment === undefined || root === undefined || isSameNode(root, sameMoment.root)) return false;
  await rereadTree(ctx, tree, tree.seq);
  return true;
}

/**
 * Throws away what is stored of a tree, because it does not give the chain's root: the tree is read again from its beginning.
 * Of a tree that somebody else has taken further meanwhile nothing is said: its nodes were newer than the root they were held
 * against, or were thrown away already.
 */
export async function rereadTree(
  ctx: Pick<TreeContext, "d1" | "logger" | "nowMs">,
  tree: Pick<FollowedTree, "address" | "seq">,
  seq: number,
): Promise<void> {
  if (!(await resetFollowedTree(ctx.d1, tree, ctx.nowMs))) return;
  ctx.logger.error("a tree's stored nodes do not give its root", { alert: "tree_index_wrong", tree: tree.address, seq });
}
