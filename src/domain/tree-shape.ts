/**
 * A concurrent Merkle tree's three measures, which are fixed when it is made.
 * `depth`: it has room for 2^depth leaves. `bufferSize`: so many changes may pass before a proof is stale. `canopyDepth`: levels
 * under the root that the account keeps itself, so that a proof on chain has only `depth - canopyDepth` nodes.
 */
export interface TreeShape {
  readonly depth: number;
  readonly bufferSize: number;
  readonly canopyDepth: number;
}

/** How full a tree is. */
export interface TreeFill {
  readonly capacity: number;
  readonly mintedCount: number;
}

/**
 * The shapes that trees are made in, smallest first. The compression program takes only certain pairs of depth and buffer; the
 * canopies leave at most 12 nodes to a proof, so that a transfer with its proof fits into a transaction.
 */
export const TREE_SHAPES = [
  { depth: 10, bufferSize: 32, canopyDepth: 4 },
  { depth: 12, bufferSize: 32, canopyDepth: 6 },
  { depth: 14, bufferSize: 64, canopyDepth: 8 },
  { depth: 16, bufferSize: 64, canopyDepth: 10 },
  { depth: 18, bufferSize: 64, canopyDepth: 10 },
  { depth: 20, bufferSize: 64, canopyDepth: 10 },
  { depth: 24, bufferSize: 64, canopyDepth: 12 },
] as const satisfies readonly TreeShape[];

/** Tickets that the largest tree takes before the next one has its turn. */
export const MOST_TICKETS_A_TREE = 2 ** 24 - 512;

const HEADER_BYTES = 56;
const COUNTERS_BYTES = 24;
const NODE_BYTES = 32;
/** A change's root and index, and the rightmost leaf with its index, each with padding. */
const ENTRY_BYTES = 40;

const LARGEST_RESERVE = 512;

/** Leaves that a tree of this depth has room for. */
export function capacityOf({ depth }: Pick<TreeShape, "depth">): number {
  return 2 ** depth;
}

/**
 * Bytes of the tree's account, by which its rent is reckoned.
 *
 * | part | bytes |
 * |---|---|
 * | header | 56 |
 * | counters: seq, active index, buffer's fill | 24 |
 * | each change in the buffer | 40 and 32 a level |
 * | rightmost path | 40 and 32 a level |
 * | canopy | 32 a node, 2^(canopyDepth + 1) - 2 nodes |
 */
export function countTreeBytes({ depth, bufferSize, canopyDepth }: TreeShape): number {
  const pathBytes = ENTRY_BYTES + NODE_BYTES * depth;
  return HEADER_BYTES + COUNTERS_BYTES + (bufferSize + 1) * pathBytes + NODE_BYTES * (2 ** (canopyDepth + 1) - 2);
}

/**
 * Leaves that are left when the next tree has its turn. What is known of a tree lags behind the chain by the mints that are not
 * final yet, and these still have to find room.
 */
export function reserveOf(capacity: number): number {
  return Math.min(LARGEST_RESERVE, Math.floor(capacity / 32));
}

/** True when the next tree, if there is one, is to be minted into. */
export function isNearlyFull({ capacity, mintedCount }: TreeFill): boolean {
  return capacity - mintedCount <= reserveOf(capacity);
}

/** The smallest shape that takes so many tickets, or the largest there is. */
export function chooseTreeShape(ticketCount: number): TreeShape {
  const fitting = TREE_SHAPES.find((shape) => capacityOf(shape) - reserveOf(capacityOf(shape)) >= ticketCount);
  return fitting ?? TREE_SHAPES[TREE_SHAPES.length - 1] ?? TREE_SHAPES[0];
}

/** Bubblegum's "InsufficientMintCapacity", as a node words it in a failed transaction or in a refused preflight. */
const TREE_IS_FULL = /"Custom":\s*6017\b|\b0x1781\b/;

/** True when an error of a mint says that its tree is full. */
export function saysTreeIsFull(error: string): boolean {
  return TREE_IS_FULL.test(error);
}
