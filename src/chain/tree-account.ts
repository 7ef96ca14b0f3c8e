import type { RememberedChange } from "#domain/merkle-tree";
import { countTreeBytes, type TreeShape } from "#domain/tree-shape";

/** A tree's account at one moment. */
export interface TreeState {
  /** Number of the last change. */
  readonly seq: number;
  readonly root: Uint8Array;
  /** The changes that the account remembers, oldest first; the last has number `seq`. A root of before them is not believed on chain. */
  readonly recent: readonly RememberedChange[];
}

/**
 * An account of mpl-account-compression (little-endian). `D` is the depth, `B` the buffer size.
 *
 * | bytes | content |
 * |---|---|
 * | 0–1 | account type 1 (tree), header version 0 |
 * | 2–5, 6–9 | u32 B, u32 D |
 * | 56–63 | u64 number of the last change |
 * | 64–71, 72–79 | u64 index of the active change, u64 changes kept |
 * | 80– | B changes of 40 + 32·D: root, D nodes of the changed path from the leaf up, u32 leaf index, 4 of padding |
 * | then | the rightmost proof of 40 + 32·D, and the canopy: 2^(c+1) − 2 nodes |
 */
const ACCOUNT_TYPE_TREE = 1;
const BUFFER_OFFSET = 2;
const DEPTH_OFFSET = 6;
const SEQ_OFFSET = 56;
const ACTIVE_OFFSET = 64;
const KEPT_OFFSET = 72;
const CHANGES_OFFSET = 80;
const NODE_BYTES = 32;

/** Bytes that {@link parseTreeShape} reads. */
export const SHAPE_BYTES = CHANGES_OFFSET;

/** True when an account of the compression program begins as a tree does. @param bytes its first {@link SHAPE_BYTES}. */
export function isTreeAccount(bytes: Uint8Array): boolean {
  return bytes.length >= SHAPE_BYTES && bytes[0] === ACCOUNT_TYPE_TREE;
}

/** Bytes that {@link parseTreeState} reads: everything but the rightmost proof and the canopy. */
export function countStateBytes({ depth, bufferSize }: Pick<TreeShape, "depth" | "bufferSize">): number {
  return CHANGES_OFFSET + bufferSize * countChangeBytes(depth);
}

/**
 * @param bytes the account's first {@link SHAPE_BYTES}.
 * @param space bytes of the whole account, which tell the canopy.
 * @throws Error when this is no tree.
 */
export function parseTreeShape(bytes: Uint8Array, space: number): TreeShape {
  if (!isTreeAccount(bytes)) throw new Error("this account is no Merkle tree");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const depth = view.getUint32(DEPTH_OFFSET, true);
  const bufferSize = view.getUint32(BUFFER_OFFSET, true);
  const canopyBytes = space - countTreeBytes({ depth, bufferSize, canopyDepth: 0 });
  return { depth, bufferSize, canopyDepth: Math.round(Math.log2(canopyBytes / NODE_BYTES + 2)) - 1 };
}

/** @param bytes the account's first {@link countStateBytes} of this shape. */
export function parseTreeState(bytes: Uint8Array, { depth, bufferSize }: TreeShape): TreeState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const seq = Number(view.getBigUint64(SEQ_OFFSET, true));
  const active = Number(view.getBigUint64(ACTIVE_OFFSET, true));
  const kept = Number(view.getBigUint64(KEPT_OFFSET, true));
  const nodeAt = (offset: number): Uint8Array => bytes.slice(offset, offset + NODE_BYTES);
  const recent = Array.from({ length: kept }, (_, at) => {
    const steps = kept - 1 - at;
    const offset = CHANGES_OFFSET + ((active - steps + bufferSize) % bufferSize) * countChangeBytes(depth);
    const path = Array.from({ length: depth }, (_node, level) => nodeAt(offset + NODE_BYTES * (level + 1)));
    return { seq: seq - steps, root: nodeAt(offset), path, index: view.getUint32(offset + NODE_BYTES * (depth + 1), true) };
  });
  return { seq, root: recent.at(-1)?.root ?? new Uint8Array(NODE_BYTES), recent };
}

function countChangeBytes(depth: number): number {
  return 40 + NODE_BYTES * depth;
}
