import {
  climb,
  emptyNode,
  hashPair,
  isLeftChild,
  isSameNode,
  meetingLevel,
  placeOver,
  renewProof,
  siblingOf,
  type PathChange,
} from "#domain/merkle-tree";
import { InstructionFailure } from "./account-overlay.ts";

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
const FIRST_CANOPY_PLACE = 2;

/** A leaf that is to take the place of another. `proof` may leave out the nodes that the canopy has. */
export interface LeafReplacement {
  /** Root that the proof was read at. */
  readonly root: Uint8Array;
  readonly previous: Uint8Array;
  readonly next: Uint8Array;
  readonly proof: readonly Uint8Array[];
  readonly index: number;
}

/** A tree that lives in the bytes of its account: every change writes them. */
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
  append(leaf: Uint8Array): PathChange {
    const index = this.leafCount;
    if (index >= 2 ** this.depth) throw new Error("the tree is full");
    const { path, root } = index === 0 ? this.#appendFirst(leaf) : this.#appendNext(leaf, index);
    this.bytes.set(leaf, this.#rightmostLeafOffset);
    this.#view.setUint32(this.#rightmostLeafOffset + NODE_BYTES, index + 1, true);
    return this.#remember({ root, path, index });
  }

  /**
   * Puts a leaf in place of another. The proof may be as old as the changes that the account remembers: it is brought up to
   * date with each of them. @throws InstructionFailure when it is older, or wrong, or the leaf is another by now.
   */
  replace({ root, previous, next, proof, index }: LeafReplacement): PathChange {
    if (index > this.leafCount) throw refuseTree("Leaf index of concurrent merkle tree is out of bounds");
    const { siblings, current } = this.#bringUpToDate(this.#completeProof(proof, index), { root, leaf: previous, index });
    if (!isSameNode(climb(current, siblings, index).root, this.root)) throw refuseTree("Invalid root recomputed from proof");
    if (!isSameNode(current, previous)) {
      throw refuseTree("This tree's current leaf value does not match the supplied proof's leaf value");
    }
    const change = { ...climb(next, siblings, index), index };
    this.#remember(change);
    this.#keepRightmost(change, siblings);
    return change;
  }

  /** The change that initialising an empty tree is logged as. */
  describeEmpty(): PathChange {
    return { root: this.root, path: Array.from({ length: this.depth }, (_, level) => emptyNode(level)), index: 0 };
  }

  #completeProof(proof: readonly Uint8Array[], index: number): Uint8Array[] {
    const siblings = [...proof];
    for (let level = siblings.length; level < this.depth; level += 1) {
      const place = siblingOf(placeOver(this.depth, index, level));
      const offset = this.#canopyOffset + NODE_BYTES * (place - FIRST_CANOPY_PLACE);
      const node = offset + NODE_BYTES <= this.bytes.length ? this.#nodeAt(offset) : emptyNode(level);
      siblings.push(node.every((byte) => byte === 0) ? emptyNode(level) : node);
    }
    return siblings;
  }

  /** The proof and its leaf as the changes since the proof's root left them. */
  #bringUpToDate(
    proof: readonly Uint8Array[],
    proven: { readonly root: Uint8Array; readonly leaf: Uint8Array; readonly index: number },
  ): { readonly siblings: readonly Uint8Array[]; readonly current: Uint8Array } {
    const kept = Number(this.#view.getBigUint64(KEPT_OFFSET, true));
    // Newest first.
    const changes = Array.from({ length: kept }, (_, steps) => this.#changeAt(this.#activeIndex - steps));
    const found = changes.findIndex(({ root }) => isSameNode(root, proven.root));
    // A root that is not remembered is taken for the oldest one: the proof may fit all the same.
    const since = changes.slice(0, found < 0 ? kept - 1 : found).toReversed();
    let [siblings, current] = [proof, proven.leaf];
    for (const change of since) {
      if (change.index === proven.index) current = change.path[0] ?? current;
      else siblings = renewProof(siblings, proven.index, change);
    }
    return { siblings, current };
  }

  /** @param index of the ring of changes; may be negative by up to its size. */
  #changeAt(index: number): PathChange {
    const offset = this.#changeOffset((index + this.#bufferSize) % this.#bufferSize);
    return {
      root: this.#nodeAt(offset),
      path: Array.from({ length: this.depth }, (_, level) => this.#nodeAt(offset + NODE_BYTES * (level + 1))),
      index: this.#view.getUint32(offset + NODE_BYTES * (this.depth + 1), true),
    };
  }

  /** The rightmost proof stays good for the next append. That of a full tree is never used again, and left as it is. */
  #keepRightmost({ path, index }: PathChange, siblings: readonly Uint8Array[]): void {
    const last = this.leafCount - 1;
    if (last + 1 >= 2 ** this.depth) return;
    if (index > last) {
      siblings.forEach((node, level) => this.#setRightmostSibling(level, node));
      this.#view.setUint32(this.#rightmostLeafOffset + NODE_BYTES, index + 1, true);
    }
    const level = index < last ? meetingLevel(index, last) : -1;
    const node = path[Math.max(level, 0)];
    if (node === undefined) return;
    if (level < 0) this.bytes.set(node, this.#rightmostLeafOffset);
    else this.#setRightmostSibling(level, node);
  }

  #appendFirst(leaf: Uint8Array): Omit<PathChange, "index"> {
    return climb(
      leaf,
      Array.from({ length: this.depth }, (_, level) => emptyNode(level)),
      0,
    );
  }

  #appendNext(leaf: Uint8Array, index: number): Omit<PathChange, "index"> {
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

  #remember(change: PathChange): PathChange {
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

  #updateCanopy({ path, index }: PathChange): void {
    for (let level = this.depth - this.#canopyDepth; level < this.depth; level += 1) {
      const node = path[level];
      const offset = this.#canopyOffset + NODE_BYTES * (placeOver(this.depth, index, level) - FIRST_CANOPY_PLACE);
      if (node !== undefined) this.bytes.set(node, offset);
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

/** The compression program stops with a panic, so there is no error code. */
function refuseTree(reason: string): InstructionFailure {
  return new InstructionFailure("ProgramFailedToComplete", `Error using concurrent merkle tree: ${reason}`);
}

function countTrailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}
