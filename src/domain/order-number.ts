import { hashParts } from "./ids.ts";

/** Order numbers of a tenant: eight decimal digits. */
const NUMBERS_PER_TENANT = 100_000_000;
/** The permutation works on two halves of four digits each. */
const HALF = 10_000;
/** Four rounds make a Feistel network a strong permutation (Luby and Rackoff 1988); two more cost nothing here. */
const ROUNDS = 6;

/** Order numbers leased at a time: a desk asks D1 once for this many orders. */
export const ORDER_NUMBER_BLOCK_SIZE = 1_000;

/** Blocks a tenant can lease before its eight digits are used up. */
export const ORDER_NUMBER_BLOCKS = NUMBERS_PER_TENANT / ORDER_NUMBER_BLOCK_SIZE;

/** The part of a leased block that a desk has not used yet: indexes from `nextIndex` up to, not including, `endIndex`. */
export interface OrderNumberBlock {
  readonly shuffleKey: string;
  readonly nextIndex: number;
  readonly endIndex: number;
}

/**
 * The order number at an index: `ORD-` and eight digits. A keyed permutation of 0 to 99,999,999 (a Feistel network over two
 * decimal halves), so different indexes never meet and consecutive orders tell nobody how many were sold.
 * @param index 0 to 99,999,999.
 */
export function orderNumberAt(shuffleKey: string, index: number): string {
  let left = Math.floor(index / HALF);
  let right = index % HALF;
  for (let round = 0; round < ROUNDS; round += 1) {
    const mixed = Number.parseInt(hashParts([shuffleKey, String(round), String(right)]).slice(0, 12), 16) % HALF;
    [left, right] = [right, (left + mixed) % HALF];
  }
  return `ORD-${String(left * HALF + right).padStart(8, "0")}`;
}

/** The whole of leased block `block` (0 to 99,999). */
export function orderNumberBlock(shuffleKey: string, block: number): OrderNumberBlock {
  const nextIndex = block * ORDER_NUMBER_BLOCK_SIZE;
  return { shuffleKey, nextIndex, endIndex: nextIndex + ORDER_NUMBER_BLOCK_SIZE };
}
