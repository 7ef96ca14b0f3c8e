import { getLeafSchemaSerializer, MPL_BUBBLEGUM_PROGRAM_ID, type LeafSchema } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { keccak_256 } from "@noble/hashes/sha3";
import { emptyNode, isSameNode } from "#domain/merkle-tree";
import type { AssetLeaf, TreeChange } from "#domain/tree-changes";
import type { TransactionAnswer } from "./read-transaction.ts";

/** Metaplex's mpl-account-compression, which owns every tree of Bubblegum V2. */
export const COMPRESSION_PROGRAM_ID = "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW";

/** The programs whose logs are believed: Bubblegum's of leaves, and those that it has account compression make of a tree's changes. */
const BELIEVED_PROGRAM_IDS: ReadonlySet<string> = new Set([MPL_BUBBLEGUM_PROGRAM_ID, COMPRESSION_PROGRAM_ID]);

/** Programs that do nothing but keep bytes in the ledger; Bubblegum V2 logs its events through the first. */
const NOOP_PROGRAM_IDS = new Set([
  "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3",
  "noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV",
]);

/** A leaf schema event: tag 1 (application data), version 0, u32 length, event type, version, then the schema. */
const APPLICATION_DATA_TAG = 1;
const SCHEMA_OFFSET = 8;

/**
 * A change log event, little-endian:
 *
 * | bytes | content |
 * |---|---|
 * | 0–1 | 0 change log, 0 its version |
 * | 2–33 | the tree |
 * | 34–37 | u32 count of nodes, which follow: 32 bytes and u32 place, from the leaf up to the root |
 * | last 12 | u64 seq, u32 leaf index |
 */
const CHANGE_LOG_TAG = 0;
const TREE_OFFSET = 2;
const COUNT_OFFSET = 34;
const NODES_OFFSET = 38;
const NODE_BYTES = 32;
const LOGGED_NODE_BYTES = 36;
/** Version of the leaf's hash, in place of the schema's variant. */
const LEAF_HASH_VERSION = 2;

/**
 * The bytes that Bubblegum and account compression logged through a noop program in this transaction, in order.
 *
 * Anyone's program may call noop with any bytes, in a transaction that names any tree. So who called decides, which is the last
 * call before, one level up; where a node does not tell the level nothing is believed.
 */
export function listNoopEvents(answer: TransactionAnswer): Uint8Array[] {
  const { loadedAddresses, innerInstructions } = answer.meta;
  const { accountKeys, instructions } = answer.transaction.message;
  const keys = [...accountKeys, ...(loadedAddresses?.writable ?? []), ...(loadedAddresses?.readonly ?? [])];
  const programAt = (place: number | undefined): string => keys[place ?? -1] ?? "";
  return (innerInstructions ?? []).flatMap((group) => {
    const lastAtLevel = new Map([[1, programAt(instructions[group.index]?.programIdIndex)]]);
    return group.instructions.flatMap(({ programIdIndex, data, stackHeight }) => {
      const [level, program] = [stackHeight ?? 0, programAt(programIdIndex)];
      lastAtLevel.set(level, program);
      const isBelieved = BELIEVED_PROGRAM_IDS.has(lastAtLevel.get(level - 1) ?? "");
      return isBelieved && NOOP_PROGRAM_IDS.has(program) ? [base58.serialize(data)] : [];
    });
  });
}

/** Every leaf that this transaction wrote, in order, as Bubblegum logged it. */
export function listLeafSchemas(answer: TransactionAnswer): LeafSchema[] {
  return listNoopEvents(answer)
    .filter((bytes) => bytes[0] === APPLICATION_DATA_TAG)
    .map((bytes) => getLeafSchemaSerializer().deserialize(bytes, SCHEMA_OFFSET)[0]);
}

/**
 * Every change that this transaction made to a tree, in order. A leaf's fields belong to the change whose leaf they hash to: so a
 * field that the node made up would not be believed.
 */
export function listTreeChanges(answer: TransactionAnswer, tree: string, signature: string): TreeChange[] {
  const leaves = listLeafSchemas(answer).flatMap((schema) => (schema.__kind === "V2" ? [toAssetLeaf(schema)] : []));
  const hashed = leaves.map((leaf) => ({ leaf, hash: hashAssetLeaf(leaf) }));
  return listNoopEvents(answer)
    .filter((bytes) => bytes[0] === CHANGE_LOG_TAG && base58.deserialize(bytes.slice(TREE_OFFSET, COUNT_OFFSET))[0] === tree)
    .map((bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const nodes = Array.from({ length: view.getUint32(COUNT_OFFSET, true) }, (_, at) => {
        const offset = NODES_OFFSET + at * LOGGED_NODE_BYTES;
        return bytes.slice(offset, offset + NODE_BYTES);
      });
      const [node] = nodes;
      const root = nodes.pop();
      if (node === undefined || root === undefined) throw new Error("a change log without nodes");
      const leaf = hashed.find(({ hash }) => isSameNode(hash, node))?.leaf ?? null;
      if (leaf === null && !isSameNode(node, emptyNode(0))) throw new Error("a leaf whose fields are not logged");
      return {
        seq: Number(view.getBigUint64(bytes.length - 12, true)),
        index: view.getUint32(bytes.length - 4, true),
        path: nodes,
        root,
        slot: answer.slot,
        signature,
        leaf,
      };
    });
}

function toAssetLeaf(schema: Extract<LeafSchema, { __kind: "V2" }>): AssetLeaf {
  const { id, owner, delegate, dataHash, creatorHash, collectionHash, assetDataHash, flags, nonce } = schema;
  const hashes = { dataHash, creatorHash, collectionHash, assetDataHash };
  return { assetId: id, leafIndex: Number(nonce), ownerAddress: owner, delegateAddress: delegate, ...hashes, flags };
}

/** The hash that is the leaf's node in its tree: Keccak-256 over version 2 and the fields in the order of the schema. */
export function hashAssetLeaf(leaf: AssetLeaf): Uint8Array {
  const { dataHash, creatorHash, collectionHash, assetDataHash, flags } = leaf;
  const encoded = getLeafSchemaSerializer().serialize({
    __kind: "V2",
    id: publicKey(leaf.assetId),
    owner: publicKey(leaf.ownerAddress),
    delegate: publicKey(leaf.delegateAddress),
    nonce: leaf.leafIndex,
    dataHash,
    creatorHash,
    collectionHash,
    assetDataHash,
    flags,
  });
  return keccak_256(encoded.with(0, LEAF_HASH_VERSION));
}
