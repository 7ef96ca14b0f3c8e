import { hashParts } from "./ids.ts";
import { assertInvariant } from "./result.ts";

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

/** Round values that one SHA-256 gives: eight of 32 bits each. */
const VALUES_PER_HASH = 8;
const HEX_DIGITS_PER_VALUE = 8;
const NOT_COMPUTED = HALF;
/** Keys whose values are remembered, 120 kB each; a desk nearly always serves one tenant, which has one key. */
const KEYS_REMEMBERED = 8;
const roundValues = new Map<string, Uint16Array>();

/**
 * What round `round` adds for the half `right`: 0 to 9,999. Computed eight neighbours at a time and remembered, because six
 * hashes for each order were 50 µs of its CPU; after some thousand orders nearly none is left to compute.
 */
function roundValue(shuffleKey: string, round: number, right: number): number {
  const values = roundValues.get(shuffleKey) ?? rememberKey(shuffleKey);
  const at = round * HALF + right;
  const known = values[at];
  if (known !== undefined && known !== NOT_COMPUTED) return known;
  const first = at - (at % VALUES_PER_HASH);
  const hash = hashParts([shuffleKey, String(first)]);
  for (let offset = 0; offset < VALUES_PER_HASH; offset += 1) {
    const digits = hash.slice(offset * HEX_DIGITS_PER_VALUE, (offset + 1) * HEX_DIGITS_PER_VALUE);
    values[first + offset] = Number.parseInt(digits, 16) % HALF;
  }
  const computed = values[at];
  assertInvariant(computed !== undefined && computed < HALF, "a round value is below the half");
  return computed;
}

function rememberKey(shuffleKey: string): Uint16Array {
  if (roundValues.size >= KEYS_REMEMBERED) roundValues.clear();
  const values = new Uint16Array(ROUNDS * HALF).fill(NOT_COMPUTED);
  roundValues.set(shuffleKey, values);
  return values;
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
    [left, right] = [right, (left + roundValue(shuffleKey, round, right)) % HALF];
  }
  return `ORD-${String(left * HALF + right).padStart(8, "0")}`;
}

/** The whole of leased block `block` (0 to 99,999). */
export function orderNumberBlock(shuffleKey: string, block: number): OrderNumberBlock {
  const nextIndex = block * ORDER_NUMBER_BLOCK_SIZE;
  return { shuffleKey, nextIndex, endIndex: nextIndex + ORDER_NUMBER_BLOCK_SIZE };
}
