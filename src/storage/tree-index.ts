import { and, eq, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { union } from "drizzle-orm/sqlite-core";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils";
import type { AssetLeaf, TreeChange } from "#domain/tree-changes";
import { isMintJob, type MintJobKey } from "./mint-statements.ts";
import { merkleTrees, mintJobs, tenantTrees, treeLeaves, treeNodes } from "./schema.ts";

/** A followed tree, and the last change of it that is stored here. */
export type FollowedTree = Omit<typeof merkleTrees.$inferSelect, "updatedAtMs">;

/** A leaf as the last stored change of its tree left it, with the nodes that prove it. */
export interface IndexedLeaf {
  readonly tree: Omit<FollowedTree, "passedSignature">;
  readonly leaf: AssetLeaf;
  readonly isBurnt: boolean;
  /** By place. Places that are missing are empty. */
  readonly nodes: ReadonlyMap<number, Uint8Array>;
}

const TREE_COLUMNS = {
  address: merkleTrees.address,
  depth: merkleTrees.depth,
  bufferSize: merkleTrees.bufferSize,
  canopyDepth: merkleTrees.canopyDepth,
  seq: merkleTrees.seq,
  slot: merkleTrees.slot,
  passedSignature: merkleTrees.passedSignature,
};

/** The tree, if it is followed. */
export async function findFollowedTree(db: DrizzleD1Database, address: string): Promise<FollowedTree | undefined> {
  return db.select(TREE_COLUMNS).from(merkleTrees).where(eq(merkleTrees.address, address)).get();
}

/** Addresses of the trees that are followed already and of all tenants' trees on chain, in a fixed order, `limit` at most. */
export async function listTreesToFollow(db: DrizzleD1Database, limit: number): Promise<string[]> {
  const followed = db
    .select({ address: merkleTrees.address })
    .from(merkleTrees)
    .where(sql`${merkleTrees.address} > ''`);
  const onChain = db
    .select({ address: tenantTrees.address })
    .from(tenantTrees)
    .where(sql`${tenantTrees.address} > '' AND ${tenantTrees.status} <> 'OPENING'`);
  const rows = await union(followed, onChain)
    .orderBy(sql`address`)
    .limit(limit);
  return rows.map(({ address }) => address);
}

/** Begins to follow a tree. Repeats change nothing. */
export async function insertFollowedTree(
  db: DrizzleD1Database,
  tree: Pick<FollowedTree, "address" | "depth" | "bufferSize" | "canopyDepth">,
  nowMs: number,
): Promise<void> {
  await db
    .insert(merkleTrees)
    .values({ ...tree, seq: 0, slot: 0, updatedAtMs: nowMs })
    .onConflictDoNothing();
}

/** Nodes of a tree at these places; empty ones are left out. */
export async function loadTreeNodes(
  db: DrizzleD1Database,
  treeAddress: string,
  places: readonly number[],
): Promise<Map<number, Uint8Array>> {
  // json_each, because a statement takes 100 parameters at most.
  const isWanted = sql`${treeNodes.place} IN (SELECT value FROM json_each(${JSON.stringify(places)}))`;
  const rows = await db
    .select({ place: treeNodes.place, hash: treeNodes.hash })
    .from(treeNodes)
    .where(and(eq(treeNodes.treeAddress, treeAddress), isWanted));
  return new Map(rows.map(({ place, hash }) => [place, hexToBytes(hash)]));
}

/** In each statement of a transaction: the tree is where it was when the transaction was thought out. */
const IS_AT = "EXISTS (SELECT 1 FROM merkle_trees WHERE address = ?1 AND seq = ?2)";

const STORE_NODES = `INSERT INTO tree_nodes (tree_address, place, hash)
  SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?3) WHERE ${IS_AT}
  ON CONFLICT (tree_address, place) DO UPDATE SET hash = excluded.hash`;

const STORE_LEAVES = `INSERT INTO tree_leaves (tree_address, leaf_index, asset_id, owner_address, delegate_address, data_hash,
    creator_hash, collection_hash, asset_data_hash, flags, is_burnt, seq, signature, news_at_ms)
  SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, 0,
    value ->> 9, value ->> 10, ?4 FROM json_each(?3) WHERE ${IS_AT}
  ON CONFLICT (tree_address, leaf_index) DO UPDATE SET owner_address = excluded.owner_address,
    delegate_address = excluded.delegate_address, data_hash = excluded.data_hash, creator_hash = excluded.creator_hash,
    collection_hash = excluded.collection_hash, asset_data_hash = excluded.asset_data_hash, flags = excluded.flags,
    is_burnt = 0, seq = excluded.seq, signature = excluded.signature, news_at_ms = excluded.news_at_ms`;

/** Each row names its tree, though it is the same one: with ?1 SQLite would read all of the tree's leaves to find these. */
const MARK_BURNT = `UPDATE tree_leaves SET is_burnt = 1, seq = burnt.value ->> 2, signature = burnt.value ->> 3, news_at_ms = ?4
  FROM json_each(?3) AS burnt
  WHERE tree_leaves.tree_address = burnt.value ->> 0 AND tree_leaves.leaf_index = burnt.value ->> 1 AND ${IS_AT}`;

const MOVE_ON = `UPDATE merkle_trees SET seq = ?3, slot = ?4, passed_signature = NULL, updated_at_ms = ?5
  WHERE address = ?1 AND seq = ?2`;

/**
 * Stores changes of a tree in one transaction, if the tree is still where they begin: of several who read the same changes at
 * once, one stores them.
 * @param changes in order and without a gap, the first right after `tree.seq`.
 * @param nodes what they made of the tree's nodes.
 * @returns false when somebody else has stored changes meanwhile; nothing was written.
 */
export async function storeTreeChanges(
  d1: D1Database,
  tree: Pick<FollowedTree, "address" | "seq" | "slot">,
  changes: readonly TreeChange[],
  nodes: readonly { readonly place: number; readonly node: Uint8Array }[],
  nowMs: number,
): Promise<boolean> {
  // A leaf that changed several times is what the last change left. One that was burnt keeps the fields that it had before.
  const lastOfLeaf = [...new Map(changes.map((change) => [change.index, change])).values()];
  const written = changes.flatMap(({ leaf, ...change }) => (leaf === null ? [] : [{ ...change, leaf }]));
  const leaves = [...new Map(written.map((change) => [change.index, change])).values()].map(({ leaf, seq, signature }) =>
    encodeLeaf(leaf, seq, signature),
  );
  const burnt = lastOfLeaf
    .filter(({ leaf }) => leaf === null)
    .map(({ index, seq, signature }) => [tree.address, index, seq, signature]);
  const nodeRows = nodes.map(({ place, node }) => [place, bytesToHex(node)]);
  const at = [tree.address, tree.seq];
  const last = changes.at(-1);
  const outcomes = await d1.batch([
    d1.prepare(STORE_NODES).bind(...at, JSON.stringify(nodeRows)),
    d1.prepare(STORE_LEAVES).bind(...at, JSON.stringify(leaves), nowMs),
    d1.prepare(MARK_BURNT).bind(...at, JSON.stringify(burnt), nowMs),
    d1.prepare(MOVE_ON).bind(...at, last?.seq ?? tree.seq, last?.slot ?? tree.slot, nowMs),
  ]);
  return outcomes.at(-1)?.meta.changes === 1;
}

function encodeLeaf(leaf: AssetLeaf, seq: number, signature: string): (string | number)[] {
  const { leafIndex, assetId, ownerAddress, delegateAddress, flags } = leaf;
  const hashes = [leaf.dataHash, leaf.creatorHash, leaf.collectionHash, leaf.assetDataHash].map((hash) => bytesToHex(hash));
  return [leafIndex, assetId, ownerAddress, delegateAddress, ...hashes, flags, seq, signature];
}

/**
 * Notes up to which transaction those since a tree's last stored change were read in vain: the next run reads what comes behind it.
 * @param signature null has the next run begin again right behind the last stored change.
 */
export async function storePassedSignature(
  db: DrizzleD1Database,
  { address, seq }: Pick<FollowedTree, "address" | "seq">,
  signature: string | null,
): Promise<void> {
  await db
    .update(merkleTrees)
    .set({ passedSignature: signature })
    .where(and(eq(merkleTrees.address, address), eq(merkleTrees.seq, seq)));
}

/**
 * Forgets all that is stored of a tree, which is then read again from its beginning.
 * @returns false when it has moved on meanwhile; nothing was forgotten.
 */
export async function resetFollowedTree(
  d1: D1Database,
  tree: Pick<FollowedTree, "address" | "seq">,
  nowMs: number,
): Promise<boolean> {
  const at = [tree.address, tree.seq];
  const outcomes = await d1.batch([
    d1.prepare(`DELETE FROM tree_nodes WHERE tree_address = ?1 AND ${IS_AT}`).bind(...at),
    d1.prepare(`DELETE FROM tree_leaves WHERE tree_address = ?1 AND ${IS_AT}`).bind(...at),
    d1.prepare(MOVE_ON).bind(...at, 0, 0, nowMs),
  ]);
  return outcomes.at(-1)?.meta.changes === 1;
}

/** The tree that a ticket's asset is in: where a stored change put it, else where its mint does; undefined when neither is known. */
export async function findTreeOfTicket(db: DrizzleD1Database, key: MintJobKey): Promise<string | undefined> {
  const found = await db
    .select({ seenIn: treeLeaves.treeAddress, mintedInto: mintJobs.treeAddress })
    .from(mintJobs)
    .leftJoin(treeLeaves, eq(treeLeaves.assetId, mintJobs.assetId))
    .where(isMintJob(key))
    .get();
  return found?.seenIn ?? found?.mintedInto ?? undefined;
}

/** Where an asset is, as the last stored change of its tree left it. */
export interface AssetOnChain {
  readonly treeAddress: string;
  /** Null when it is burnt. */
  readonly ownerAddress: string | null;
  /** The tree's root then. */
  readonly root: Uint8Array;
}

/** The place of the node over all others. */
const ROOT_PLACE = 1;

/** Undefined when no stored change made such a leaf. */
export async function findAssetOnChain(db: DrizzleD1Database, assetId: string): Promise<AssetOnChain | undefined> {
  const { treeAddress, ownerAddress, isBurnt } = treeLeaves;
  const row = await db
    .select({ treeAddress, ownerAddress, isBurnt, root: treeNodes.hash })
    .from(treeLeaves)
    .innerJoin(treeNodes, and(eq(treeNodes.treeAddress, treeAddress), eq(treeNodes.place, ROOT_PLACE)))
    .where(eq(treeLeaves.assetId, assetId))
    .get();
  return (
    row && { treeAddress: row.treeAddress, ownerAddress: row.isBurnt ? null : row.ownerAddress, root: hexToBytes(row.root) }
  );
}

const FIND_LEAF = `SELECT t.address, t.depth, t.buffer_size, t.canopy_depth, t.seq, t.slot, l.leaf_index, l.asset_id, l.owner_address,
    l.delegate_address, l.data_hash, l.creator_hash, l.collection_hash, l.asset_data_hash, l.flags, l.is_burnt
  FROM tree_leaves l JOIN merkle_trees t ON t.address = l.tree_address WHERE l.asset_id = ?1`;

/** The siblings of the leaf's path: the nodes beside each place from the leaf up to just under the root. */
const FIND_PROOF = `WITH RECURSIVE path (tree_address, place) AS (
    SELECT l.tree_address, (1 << t.depth) + l.leaf_index
    FROM tree_leaves l JOIN merkle_trees t ON t.address = l.tree_address WHERE l.asset_id = ?1
    UNION ALL SELECT tree_address, place / 2 FROM path WHERE place > 3)
  SELECT n.place, n.hash FROM path CROSS JOIN tree_nodes n
  ON n.tree_address = path.tree_address AND n.place = path.place + 1 - 2 * (path.place % 2)`;

interface LeafColumns {
  readonly address: string;
  readonly depth: number;
  readonly buffer_size: number;
  readonly canopy_depth: number;
  readonly seq: number;
  readonly slot: number;
  readonly leaf_index: number;
  readonly asset_id: string;
  readonly owner_address: string;
  readonly delegate_address: string;
  readonly data_hash: string;
  readonly creator_hash: string;
  readonly collection_hash: string;
  readonly asset_data_hash: string;
  readonly flags: number;
  readonly is_burnt: number;
}

/** An asset's leaf with the nodes that prove it, all of one moment; undefined when no stored change made such a leaf. */
export async function findIndexedLeaf(d1: D1Database, assetId: string): Promise<IndexedLeaf | undefined> {
  const [leaves, nodes] = await d1.batch([d1.prepare(FIND_LEAF).bind(assetId), d1.prepare(FIND_PROOF).bind(assetId)]);
  const [row] = (leaves?.results ?? []) as LeafColumns[]; // The columns that FIND_LEAF names.
  if (row === undefined) return undefined;
  const siblings = (nodes?.results ?? []) as { place: number; hash: string }[]; // The columns that FIND_PROOF names.
  return {
    tree: {
      address: row.address,
      depth: row.depth,
      bufferSize: row.buffer_size,
      canopyDepth: row.canopy_depth,
      seq: row.seq,
      slot: row.slot,
    },
    leaf: {
      assetId: row.asset_id,
      leafIndex: row.leaf_index,
      ownerAddress: row.owner_address,
      delegateAddress: row.delegate_address,
      dataHash: hexToBytes(row.data_hash),
      creatorHash: hexToBytes(row.creator_hash),
      collectionHash: hexToBytes(row.collection_hash),
      assetDataHash: hexToBytes(row.asset_data_hash),
      flags: row.flags,
    },
    isBurnt: row.is_burnt === 1,
    nodes: new Map(siblings.map(({ place, hash }) => [place, hexToBytes(hash)])),
  };
}
