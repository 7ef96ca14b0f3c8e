import { keccak_256 } from "@noble/hashes/sha3";

/**
 * The accounts of mpl-account-compression hold a concurrent Merkle tree in this layout (little-endian). `D` is the depth, `B`
 * the number of remembered changes.
 *
 * | bytes | content |
 * |---|---|
 * | 0–1 | account type 1 (tree), header version 0 |
 * | 2–5, 6–9 | u32 B, u32 D |
 * | 10–41 | authority: Bubblegum's tree config |
 * | 42–55 | u64 creation slot, u8 is batch initialised, 5 of padding |
 * | 56–63 | u64 number of the last change (`seq`) |
 * | 64–71, 72–79 | u64 index of the active change, u64 changes kept |
 * | 80– | B changes of 40 + 32·D: root, D nodes of the changed path from the leaf up, u32 leaf index, 4 of padding |
 * | then | the rightmost proof of 40 + 32·D: D siblings, the leaf, u32 count of leaves, 4 of padding |
 * | rest | canopy: the top nodes of the tree, from the left, without the root |
 */
export interface TreeChange {
  readonly root: Uint8Array;
  /** Nodes from the leaf to just under the root. */
  readonly path: readonly Uint8Array[];
  readonly index: number;
}

const TREE_ACCOUNT_TYPE = 1;
const MAX_BUFFER_OFFSET = 2;
const MAX_DEPTH_OFFSET = 6;
const AUTHORITY_OFFSET = 10;
const CREATION_SLOT_OFFSET = 42;
const SEQ_OFFSET = 56;
const ACTIVE_OFFSET = 64;
const KEPT_OFFSET = 72;
const CHANGES_OFFSET = 80;
const NODE_BYTES = 32;

const emptyNodes: Uint8Array[] = [new Uint8Array(NODE_BYTES)];

/** The root of an empty subtree of this height; height 0 is an empty leaf, 32 zero bytes. */
export function emptyNode(height: number): Uint8Array {
  let node = emptyNodes[height];
  if (node === undefined) {
    const below = emptyNode(height - 1);
    node = hashPair(below, below);
    emptyNodes[height] = node;
  }
  return node;
}

/** Keccak-256 of two nodes side by side. */
export function hashPair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * NODE_BYTES);
  both.set(left);
  both.set(right, NODE_BYTES);
  return keccak_256(both);
}

/** A tree that lives in the bytes of its account: every change writes them. Appending is the only change there is so far. */
export class ConcurrentMerkleTree {
  readonly bytes: Uint8Array;
  readonly depth: number;
  readonly #bufferSize: number;
  readonly #view: DataView;
  readonly #changeBytes: number;
  readonly #rightmostOffset: number;
  readonly #canopyOffset: number;
  readonly #canopyDepth: number;

  /** @param bytes the whole account, with a header. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#bufferSize = this.#view.getUint32(MAX_BUFFER_OFFSET, true);
    this.depth = this.#view.getUint32(MAX_DEPTH_OFFSET, true);
    this.#changeBytes = 40 + NODE_BYTES * this.depth;
    this.#rightmostOffset = CHANGES_OFFSET + this.#bufferSize * this.#changeBytes;
    this.#canopyOffset = this.#rightmostOffset + this.#changeBytes;
    // A canopy of c levels has 2^(c+1) - 2 nodes.
    this.#canopyDepth = Math.log2((bytes.length - this.#canopyOffset) / NODE_BYTES + 2) - 1;
  }

  /** Writes header and empty tree into a zeroed account. */
  static initialize(
    bytes: Uint8Array,
    options: { readonly depth: number; readonly bufferSize: number; readonly authority: Uint8Array; readonly slot: bigint },
  ): ConcurrentMerkleTree {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    bytes[0] = TREE_ACCOUNT_TYPE;
    view.setUint32(MAX_BUFFER_OFFSET, options.bufferSize, true);
    view.setUint32(MAX_DEPTH_OFFSET, options.depth, true);
    bytes.set(options.authority, AUTHORITY_OFFSET);
    view.setBigUint64(CREATION_SLOT_OFFSET, options.slot, true);
    view.setBigUint64(KEPT_OFFSET, 1n, true);
    const tree = new ConcurrentMerkleTree(bytes);
    bytes.set(emptyNode(options.depth), CHANGES_OFFSET);
    for (let level = 0; level < options.depth; level += 1) {
      bytes.set(emptyNode(level), CHANGES_OFFSET + NODE_BYTES * (level + 1));
      tree.#setRightmostSibling(level, emptyNode(level));
    }
    return tree;
  }

  /** Number of the last change. */
  get seq(): bigint {
    return this.#view.getBigUint64(SEQ_OFFSET, true);
  }

  /** Leaves appended so far. */
  get leafCount(): number {
    return this.#view.getUint32(this.#rightmostLeafOffset + NODE_BYTES, true);
  }

  get root(): Uint8Array {
    return this.#nodeAt(this.#changeOffset(this.#activeIndex));
  }

  /**
   * Puts a leaf after the last one. Only the rightmost path is known, which is enough: the siblings left of the new leaf's
   * path are in the rightmost proof, those right of it are empty.
   */
  append(leaf: Uint8Array): TreeChange {
    const index = this.leafCount;
    if (index >= 2 ** this.depth) throw new Error("the tree is full");
    const { path, root } = index === 0 ? this.#appendFirst(leaf) : this.#appendNext(leaf, index);
    this.bytes.set(leaf, this.#rightmostLeafOffset);
    this.#view.setUint32(this.#rightmostLeafOffset + NODE_BYTES, index + 1, true);
    return this.#remember({ root, path, index });
  }

  /** The change that initialising an empty tree is logged as. */
  describeEmpty(): TreeChange {
    return { root: this.root, path: Array.from({ length: this.depth }, (_, level) => emptyNode(level)), index: 0 };
  }

  #appendFirst(leaf: Uint8Array): { path: Uint8Array[]; root: Uint8Array } {
    const path: Uint8Array[] = [];
    let node = leaf;
    for (let level = 0; level < this.depth; level += 1) {
      path.push(node);
      node = hashPair(node, emptyNode(level));
    }
    return { path, root: node };
  }

  #appendNext(leaf: Uint8Array, index: number): { path: Uint8Array[]; root: Uint8Array } {
    const path: Uint8Array[] = [];
    // Below this level the new leaf opens an empty subtree; at it, the subtree of all before becomes its left sibling.
    const joinLevel = countTrailingZeros(index);
    let node = leaf;
    let before = this.#nodeAt(this.#rightmostLeafOffset);
    for (let level = 0; level < this.depth; level += 1) {
      path.push(node);
      const sibling = this.#nodeAt(this.#rightmostOffset + NODE_BYTES * level);
      if (level < joinLevel) {
        before = isLeftChild(index - 1, level) ? hashPair(before, sibling) : hashPair(sibling, before);
        this.#setRightmostSibling(level, emptyNode(level));
        node = hashPair(node, emptyNode(level));
      } else if (level === joinLevel) {
        this.#setRightmostSibling(level, before);
        node = hashPair(before, node);
      } else {
        node = isLeftChild(index, level) ? hashPair(node, sibling) : hashPair(sibling, node);
      }
    }
    return { path, root: node };
  }

  #remember(change: TreeChange): TreeChange {
    const active = (this.#activeIndex + 1) % this.#bufferSize;
    const kept = Number(this.#view.getBigUint64(KEPT_OFFSET, true));
    this.#view.setBigUint64(ACTIVE_OFFSET, BigInt(active), true);
    this.#view.setBigUint64(KEPT_OFFSET, BigInt(Math.min(kept + 1, this.#bufferSize)), true);
    this.#view.setBigUint64(SEQ_OFFSET, this.seq + 1n, true);
    const offset = this.#changeOffset(active);
    this.bytes.set(change.root, offset);
    change.path.forEach((node, level) => this.bytes.set(node, offset + NODE_BYTES * (level + 1)));
    this.#view.setUint32(offset + NODE_BYTES * (this.depth + 1), change.index, true);
    this.#updateCanopy(change);
    return change;
  }

  #updateCanopy({ path, index }: TreeChange): void {
    for (let level = this.depth - this.#canopyDepth; level < this.depth; level += 1) {
      const node = path[level];
      // Nodes are numbered from the root (1) down; the canopy starts with number 2.
      const heapIndex = Math.floor((2 ** this.depth + index) / 2 ** level);
      if (node !== undefined) this.bytes.set(node, this.#canopyOffset + NODE_BYTES * (heapIndex - 2));
    }
  }

  get #activeIndex(): number {
    return Number(this.#view.getBigUint64(ACTIVE_OFFSET, true));
  }

  get #rightmostLeafOffset(): number {
    return this.#rightmostOffset + NODE_BYTES * this.depth;
  }

  #changeOffset(index: number): number {
    return CHANGES_OFFSET + index * this.#changeBytes;
  }

  #setRightmostSibling(level: number, node: Uint8Array): void {
    this.bytes.set(node, this.#rightmostOffset + NODE_BYTES * level);
  }

  #nodeAt(offset: number): Uint8Array {
    return this.bytes.slice(offset, offset + NODE_BYTES);
  }
}

function isLeftChild(index: number, level: number): boolean {
  return Math.floor(index / 2 ** level) % 2 === 0;
}

function countTrailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}
