import { base64 } from "@metaplex-foundation/umi/serializers";
import type { AssetLeaf, TreeChange } from "#domain/tree-changes";
import type { TreeShape } from "#domain/tree-shape";
import { hashAssetLeaf, listTreeChanges } from "./leaf-events.ts";
import { readTransaction } from "./read-transaction.ts";
import type { RpcClient, RpcNode } from "./rpc-client.ts";
import { SHAPE_BYTES, countStateBytes, parseTreeShape, parseTreeState, type TreeState } from "./tree-account.ts";

/** Merkle trees as plain JSON-RPC shows them. Every method throws when the node can't be reached. */
export interface TreeSource {
  /** Undefined while there is no such account. */
  findShape(tree: string): Promise<TreeShape | undefined>;
  /** The tree in the newest confirmed block that the asked node has. */
  readState(tree: string, shape: TreeShape): Promise<TreeState>;
  /**
   * Signatures of the finalized transactions that changed the tree in `sinceSlot` or later, oldest first. That slot is included:
   * only the changes' own numbers say which of its transactions are known.
   */
  listSignatures(tree: string, sinceSlot: number): Promise<readonly string[]>;
  /**
   * What the other nodes list beside `known`, for when the node that is asked first leaves something out. Nothing when there is one node;
   * those that fail are passed over.
   */
  listLeftOut(tree: string, sinceSlot: number, known: readonly string[]): Promise<readonly string[]>;
  /** The changes of one transaction; undefined while no node can show it. */
  readChanges(tree: string, signature: string): Promise<readonly TreeChange[] | undefined>;
  /** The node that a leaf with these fields is. */
  hashLeaf(leaf: AssetLeaf): Uint8Array;
}

interface AccountAnswer {
  readonly value: { readonly data: readonly [string, string]; readonly space: number } | null;
}

const PAGE_SIZE = 1_000;
/** 200,000 transactions: more than a tree of a million leaves takes. */
const MAX_PAGES = 200;

/** The trees on this node. */
export function createTreeSource(rpc: RpcClient): TreeSource {
  return {
    async findShape(tree) {
      const account = await readAccount(rpc, tree, SHAPE_BYTES);
      return account === null ? undefined : parseTreeShape(base64.serialize(account.data[0]), account.space);
    },
    async readState(tree, shape) {
      const account = await readAccount(rpc, tree, countStateBytes(shape));
      if (account === null) throw new Error(`there is no tree at ${tree}`);
      return parseTreeState(base64.serialize(account.data[0]), shape);
    },
    hashLeaf: hashAssetLeaf,
    listSignatures: (tree, sinceSlot) => listSignatures(rpc, tree, sinceSlot),
    async listLeftOut(tree, sinceSlot, known) {
      const lists = await Promise.all(othersOf(rpc).map((node) => orNothing(listSignatures(node, tree, sinceSlot))));
      const isKnown = new Set(known);
      return [...new Set(lists.flatMap((list) => list ?? []))].filter((signature) => !isKnown.has(signature));
    },
    async readChanges(tree, signature) {
      let answer = await readTransaction(rpc, signature);
      for (const node of othersOf(rpc)) answer ??= (await orNothing(readTransaction(node, signature))) ?? null;
      return answer === null ? undefined : listTreeChanges(answer, tree, signature);
    },
  };
}

/** A client asks the first by itself. */
function othersOf(rpc: RpcClient): readonly RpcNode[] {
  return rpc.nodes.slice(1);
}

/** What a node says that is only asked beside another one; undefined when it fails. */
async function orNothing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch {
    return undefined;
  }
}

async function readAccount(rpc: RpcClient, tree: string, length: number): Promise<AccountAnswer["value"]> {
  const options = { commitment: "confirmed", encoding: "base64", dataSlice: { offset: 0, length } };
  return (await rpc.call<AccountAnswer>("getAccountInfo", [tree, options])).value;
}

async function listSignatures(rpc: RpcNode, tree: string, sinceSlot: number): Promise<readonly string[]> {
  const found: string[] = [];
  let before: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const entries = await rpc.call<{ signature: string; slot: number; err: unknown }[]>("getSignaturesForAddress", [
      tree,
      { commitment: "finalized", limit: PAGE_SIZE, ...(before === undefined ? {} : { before }) },
    ]);
    const wanted = entries.filter(({ slot }) => slot >= sinceSlot);
    found.push(...wanted.filter(({ err }) => err === null).map(({ signature }) => signature));
    before = entries.at(-1)?.signature;
    if (entries.length < PAGE_SIZE || wanted.length < entries.length) return found.toReversed();
  }
  throw new Error(`${tree} has more than ${MAX_PAGES * PAGE_SIZE} transactions since slot ${sinceSlot}`);
}
