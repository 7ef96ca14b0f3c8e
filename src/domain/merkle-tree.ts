import { keccak_256 } from "@noble/hashes/sha3";

/**
 * Merkle trees as Bubblegum keeps them: Keccak-256, 32-byte nodes, an empty leaf is 32 zero bytes. Level 0 is the leaves.
 * A node's place counts from the root (1) down, left to right, so the leaf `index` of a tree of depth D is at 2^D + index,
 * and the node over `place` is at half of it.
 */
const NODE_BYTES = 32;

const emptyNodes: Uint8Array[] = [new Uint8Array(NODE_BYTES)];

/** The root of an empty subtree of this height; height 0 is an empty leaf. */
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

/** True when two nodes are the same bytes. */
export function isSameNode(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Place of the node over a leaf at a level; level 0 is the leaf itself, level `depth` the root. */
export function placeOver(depth: number, index: number, level: number): number {
  return Math.floor((2 ** depth + index) / 2 ** level);
}

/** The other child of a node's parent. */
export function siblingOf(place: number): number {
  return place % 2 === 0 ? place + 1 : place - 1;
}

/**
 * The nodes from a leaf up, and the root over them.
 * @param siblings the leaf's proof: one node a level, from its own sibling up.
 */
export function climb(
  leaf: Uint8Array,
  siblings: readonly Uint8Array[],
  index: number,
): { readonly path: readonly Uint8Array[]; readonly root: Uint8Array } {
  const path: Uint8Array[] = [];
  let node = leaf;
  for (const [level, sibling] of siblings.entries()) {
    path.push(node);
    node = isLeftChild(index, level) ? hashPair(node, sibling) : hashPair(sibling, node);
  }
  return { path, root: node };
}

/** True when the node over a leaf at a level is its parent's left child. */
export function isLeftChild(index: number, level: number): boolean {
  return Math.floor(index / 2 ** level) % 2 === 0;
}

/** The highest level at which the nodes over two different leaves are siblings. Indexes are below 2^31. */
export function meetingLevel(one: number, other: number): number {
  return 31 - Math.clz32(one ^ other);
}

/** One change of a tree: the leaf at `index` became `path[0]`, and the nodes over it the rest; `root` is over them all. */
export interface PathChange {
  readonly index: number;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** A change that its tree's account still remembers. */
export interface RememberedChange extends PathChange {
  readonly seq: number;
}

/**
 * A leaf's proof as it is after the newest of these changes.
 * @param seq number of the change after which the proof was right.
 * @returns undefined when the leaf itself has changed since.
 */
export function renewProofSince(
  proof: readonly Uint8Array[],
  index: number,
  remembered: readonly RememberedChange[],
  seq: number,
): readonly Uint8Array[] | undefined {
  const since = remembered.filter((change) => change.seq > seq);
  if (since.some((change) => change.index === index)) return undefined;
  return since.reduce((renewed, change) => renewProof(renewed, index, change), proof);
}

/** A proof as it is after a change to another leaf. */
export function renewProof(proof: readonly Uint8Array[], index: number, change: PathChange): readonly Uint8Array[] {
  const level = meetingLevel(index, change.index);
  return proof.map((node, at) => (at === level ? (change.path[at] ?? node) : node));
}

/**
 * A tree of which only the nodes that were loaded are known; every other one counts as empty. Whoever changes a leaf or proves it must
 * have loaded the nodes of its {@link listProofPlaces} that are not empty. Costs `depth` hashes a change, however large the tree.
 */
export class SparseTree {
  readonly depth: number;
  readonly #nodes: Map<number, Uint8Array>;
  readonly #changed = new Set<number>();

  /** @param nodes by place. */
  constructor(depth: number, nodes: ReadonlyMap<number, Uint8Array> = new Map()) {
    this.depth = depth;
    this.#nodes = new Map(nodes);
  }

  /** Puts a leaf in its place. @returns the new root. */
  set(index: number, leaf: Uint8Array): Uint8Array {
    const { path, root } = climb(leaf, this.prove(index), index);
    for (const [level, node] of [...path, root].entries()) {
      const place = placeOver(this.depth, index, level);
      this.#nodes.set(place, node);
      this.#changed.add(place);
    }
    return root;
  }

  /** The siblings of a leaf's path, from the leaf's own up. */
  prove(index: number): Uint8Array[] {
    return listProofPlaces(this.depth, index).map((place, level) => this.#nodes.get(place) ?? emptyNode(level));
  }

  /** The node over all leaves. */
  get root(): Uint8Array {
    return this.#nodes.get(1) ?? emptyNode(this.depth);
  }

  /** What {@link set} has changed so far, by place. */
  listChanged(): readonly { readonly place: number; readonly node: Uint8Array }[] {
    return [...this.#changed].flatMap((place) => {
      const node = this.#nodes.get(place);
      return node === undefined ? [] : [{ place, node }];
    });
  }
}

/** Places of the siblings that prove a leaf, from its own up. */
export function listProofPlaces(depth: number, index: number): number[] {
  return Array.from({ length: depth }, (_, level) => siblingOf(placeOver(depth, index, level)));
}
