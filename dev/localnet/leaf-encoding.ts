import { keccak_256 } from "@noble/hashes/sha3";
import type { PathChange } from "#domain/merkle-tree";
import { bytesOfAddress } from "./transaction-encoding.ts";

/** A leaf of Bubblegum V2. Hashes are 32 bytes, addresses base58. */
export interface Leaf {
  readonly assetId: string;
  readonly owner: string;
  readonly delegate: string;
  readonly nonce: bigint;
  readonly dataHash: Uint8Array;
  readonly creatorHash: Uint8Array;
  readonly collectionHash: Uint8Array;
  readonly assetDataHash: Uint8Array;
  /** Bit 0 frozen by the owner's delegate, bit 1 by the collection's, bit 2 not transferable. */
  readonly flags: number;
}

const LEAF_VERSION_2 = 2;
/** The variant of the schema enum: V1 is 0, V2 is 1. */
const SCHEMA_VARIANT_V2 = 1;

/** The hash that is the tree's node: Keccak-256 over version 2 and the leaf's fields. */
export function hashLeaf(leaf: Leaf): Uint8Array {
  return keccak_256(concatBytes(Uint8Array.of(LEAF_VERSION_2), encodeFields(leaf)));
}

/**
 * What Bubblegum logs through the noop program for each leaf it writes.
 *
 * | bytes | content |
 * |---|---|
 * | 0–1 | 1 application data, 0 its version |
 * | 2–5 | u32 length of the rest |
 * | 6–7 | 1 leaf schema event, 1 leaf version V2 |
 * | 8 | 1 schema variant V2 |
 * | 9–280 | asset id, owner, delegate, u64 nonce, data, creator, collection and asset data hash, u8 flags |
 * | last 32 | the leaf's hash |
 */
export function encodeLeafEvent(leaf: Leaf): Uint8Array {
  const body = concatBytes(Uint8Array.of(1, 1, SCHEMA_VARIANT_V2), encodeFields(leaf), hashLeaf(leaf));
  return concatBytes(Uint8Array.of(1, 0), encodeU32(body.length), body);
}

/**
 * What the compression program logs for each change of a tree.
 *
 * | bytes | content |
 * |---|---|
 * | 0–1 | 0 change log, 0 its version |
 * | 2–33 | the tree |
 * | 34–37 | u32 count of nodes, which follow: 32 bytes and u32 place, counted from the root (1), from the leaf up to the root |
 * | last 12 | u64 seq, u32 leaf index |
 */
export function encodeChangeEvent(tree: string, depth: number, seq: bigint, change: PathChange): Uint8Array {
  const nodes = [...change.path, change.root];
  const encoded = nodes.flatMap((node, level) => [node, encodeU32(Math.floor((2 ** depth + change.index) / 2 ** level))]);
  return concatBytes(
    Uint8Array.of(0, 0),
    bytesOfAddress(tree),
    encodeU32(nodes.length),
    ...encoded,
    encodeU64(seq),
    encodeU32(change.index),
  );
}

function encodeFields(leaf: Leaf): Uint8Array {
  return concatBytes(
    bytesOfAddress(leaf.assetId),
    bytesOfAddress(leaf.owner),
    bytesOfAddress(leaf.delegate),
    encodeU64(leaf.nonce),
    leaf.dataHash,
    leaf.creatorHash,
    leaf.collectionHash,
    leaf.assetDataHash,
    Uint8Array.of(leaf.flags),
  );
}

/** The parts one after the other. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Four bytes, little-endian. */
export function encodeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Eight bytes, little-endian. */
export function encodeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
