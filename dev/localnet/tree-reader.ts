import { getLeafSchemaSerializer, hashCollection } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { listNoopEvents } from "#chain/leaf-events";
import type { TransactionAnswer } from "#chain/read-transaction";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { emptyNode, hashPair } from "#domain/merkle-tree";
import { ConcurrentMerkleTree } from "./concurrent-merkle-tree.ts";
import { hashLeaf, type Leaf } from "./leaf-encoding.ts";
import { encodeBase58 } from "./transaction-encoding.ts";

/** A leaf as the ledger's last word leaves it, with the transaction that minted it. */
export interface FoundLeaf {
  readonly leaf: Leaf;
  readonly leafIndex: number;
  readonly signature: string;
}

/** A tree rebuilt from the ledger alone. */
export interface TreeContents {
  /** Leaves that are there; burnt ones are not. */
  readonly leaves: readonly FoundLeaf[];
  /** The root that the leaves give. */
  readonly computedRoot: string;
  /** The root in the tree's account. Equal to `computedRoot` when the ledger was read whole. */
  readonly accountRoot: string;
  /** Leaves counted by the tree's account. */
  readonly accountLeafCount: number;
}

const APPLICATION_DATA_TAG = 1;
const CHANGE_LOG_TAG = 0;
const SCHEMA_OFFSET = 8;
const TREE_OFFSET = 2;
const COUNT_OFFSET = 34;
const PAGE_SIZE = 1_000;

/**
 * Reads every leaf of a tree from plain JSON-RPC, with no indexer to believe: the transactions that name the tree, and in each
 * the leaf that Bubblegum logged next to the tree's change. Each leaf is hashed again here, from its fields.
 */
export async function readTree(rpcUrl: string, tree: string): Promise<TreeContents> {
  const rpc = createRpcClient(rpcUrl);
  const byIndex = new Map<number, FoundLeaf>();
  for (const signature of await listTreeSignatures(rpc, tree)) {
    const answer = await rpc.call<TransactionAnswer | null>("getTransaction", [
      signature,
      { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 1 },
    ]);
    const changes = answer === null ? [] : listLeafChanges(answer).filter((change) => change.tree === tree);
    for (const { leaf, leafIndex } of changes) {
      const minted = byIndex.get(leafIndex)?.signature ?? signature;
      if (leaf === undefined) byIndex.delete(leafIndex);
      else byIndex.set(leafIndex, { leaf, leafIndex, signature: minted });
    }
  }
  const leaves = [...byIndex.values()];
  const account = await rpc.call<{ value: { data: [string, string] } | null }>("getAccountInfo", [
    tree,
    { encoding: "base64" },
  ]);
  if (account.value === null) throw new Error(`there is no tree at ${tree}`);
  const merkle = new ConcurrentMerkleTree(new Uint8Array(Buffer.from(account.value.data[0], "base64")));
  return {
    leaves,
    computedRoot: encodeBase58(computeRoot(merkle.depth, leaves)),
    accountRoot: encodeBase58(merkle.root),
    accountLeafCount: merkle.leafCount,
  };
}

/** What someone claims to be minted. */
export interface MintClaim {
  readonly assetId: string;
  readonly leafIndex: number;
  readonly signature: string;
  readonly collectionAddress?: string;
  /** Expected owner; left out, any. */
  readonly ownerAddress?: string;
}

/**
 * Checks a mint against the chain: the leaf exists once, where and by which transaction it is claimed, and the tree's root is the
 * one that all the leaves give.
 * @returns what is wrong, one sentence each; empty when all is right.
 */
export async function verifyMintedLeaf(rpcUrl: string, tree: string, claim: MintClaim): Promise<string[]> {
  const contents = await readTree(rpcUrl, tree);
  const found = contents.leaves.filter(({ leaf }) => leaf.assetId === claim.assetId);
  const [first] = found;
  if (first === undefined) return [`no leaf of ${tree} has asset id ${claim.assetId}`];
  const problems: string[] = [];
  if (found.length > 1) problems.push(`${found.length} leaves have asset id ${claim.assetId}`);
  if (first.leafIndex !== claim.leafIndex) problems.push(`the leaf is at ${first.leafIndex}, not at ${claim.leafIndex}`);
  if (first.signature !== claim.signature)
    problems.push(`the leaf was written by ${first.signature}, not by ${claim.signature}`);
  if (claim.ownerAddress !== undefined && first.leaf.owner !== claim.ownerAddress)
    problems.push(`the owner is ${first.leaf.owner}`);
  if (claim.collectionAddress !== undefined) {
    const expected = hashCollection(publicKey(claim.collectionAddress));
    if (Buffer.compare(first.leaf.collectionHash, expected) !== 0) problems.push("the leaf is of another collection");
  }
  if (contents.computedRoot !== contents.accountRoot) problems.push("the leaves in the ledger don't give the tree's root");
  return problems;
}

async function listTreeSignatures(rpc: RpcClient, tree: string): Promise<string[]> {
  const signatures: string[] = [];
  for (;;) {
    const before = signatures.at(-1);
    const page = await rpc.call<{ signature: string; err: unknown }[]>("getSignaturesForAddress", [
      tree,
      { commitment: "confirmed", limit: PAGE_SIZE, ...(before === undefined ? {} : { before }) },
    ]);
    signatures.push(...page.filter((entry) => entry.err === null).map((entry) => entry.signature));
    if (page.length < PAGE_SIZE) return signatures.toReversed();
  }
}

/** What a change of a tree made of a leaf. */
export interface LeafChange {
  readonly tree: string;
  readonly depth: number;
  readonly seq: number;
  readonly leafIndex: number;
  /** Undefined when it was burnt. */
  readonly leaf: Leaf | undefined;
}

/** What became of leaves, in order; a change without a leaf beside it has burnt one. */
export function listLeafChanges(answer: TransactionAnswer): LeafChange[] {
  const found: LeafChange[] = [];
  let pending: Leaf | undefined;
  for (const event of listNoopEvents(answer)) {
    if (event[0] === APPLICATION_DATA_TAG) pending = readLeaf(event);
    if (event[0] !== CHANGE_LOG_TAG) continue;
    const view = new DataView(event.buffer, event.byteOffset, event.length);
    found.push({
      tree: encodeBase58(event.slice(TREE_OFFSET, COUNT_OFFSET)),
      // The logged path ends with the root.
      depth: view.getUint32(COUNT_OFFSET, true) - 1,
      seq: Number(view.getBigUint64(event.length - 12, true)),
      leafIndex: view.getUint32(event.length - 4, true),
      leaf: pending,
    });
    pending = undefined;
  }
  return found;
}

function readLeaf(event: Uint8Array): Leaf | undefined {
  const [schema] = getLeafSchemaSerializer().deserialize(event, SCHEMA_OFFSET);
  if (schema.__kind !== "V2") return undefined;
  return {
    assetId: schema.id,
    owner: schema.owner,
    delegate: schema.delegate,
    nonce: schema.nonce,
    dataHash: schema.dataHash,
    creatorHash: schema.creatorHash,
    collectionHash: schema.collectionHash,
    assetDataHash: schema.assetDataHash,
    flags: schema.flags,
  };
}

/** The root over these leaves, the rest empty. */
function computeRoot(depth: number, leaves: readonly FoundLeaf[]): Uint8Array {
  let level = new Map(leaves.map(({ leaf, leafIndex }) => [leafIndex, hashLeaf(leaf)]));
  for (let height = 0; height < depth; height += 1) {
    const above = new Map<number, Uint8Array>();
    for (const index of level.keys()) {
      const parent = Math.floor(index / 2);
      const left = level.get(2 * parent) ?? emptyNode(height);
      above.set(parent, hashPair(left, level.get(2 * parent + 1) ?? emptyNode(height)));
    }
    level = above;
  }
  return level.get(0) ?? emptyNode(depth);
}
