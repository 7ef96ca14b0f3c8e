import { decodeBase58 } from "./base58.ts";

/** What is wrong with a wallet address: an asset that goes there could never be moved by its owner. */
export type WalletProblem = "not_base58" | "wrong_length" | "is_program" | "off_curve" | "small_order";

const ADDRESS_BYTES = 32;

/** Programs of the cluster that people paste for a wallet. Nobody holds a key of one, although some are points of the curve. */
const PROGRAMS: ReadonlySet<string> = new Set([
  "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL",
  "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY",
  "CoREENxT6tW1HoK8ypY1SxRMZTcVPm7R94rH4PZNhX7d",
  "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo",
  "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr",
  "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
  "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
  "auth9SigNpDKz4sJJ1DfCTuZrZNSAgh9sFD3rboVmgg",
  "cmtDvXumGCrqC1Age74AVPhSRVXJMd8PJS91L8KbNCK",
  "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW",
  "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s",
  "mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3",
  "namesLPneVptA9Z5rqUDD9tMTWEJwofgaYwp8cawRkX",
  "noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV",
]);

/**
 * The cluster's own: its built-in programs, the sysvars, the incinerator, the mint of wrapped SOL. They are names filled up with ones, which
 * no key has by chance. The System program is nothing but ones, which people paste for "none".
 */
const CLUSTER_NAME = /1{12}2?$/;

/** @returns what is wrong with an address that an asset shall go to; undefined when a wallet can be there. */
export function findWalletProblem(text: string): WalletProblem | undefined {
  const bytes = decodeBase58(text);
  if (!bytes.ok) return "not_base58";
  if (bytes.value.length !== ADDRESS_BYTES) return "wrong_length";
  if (PROGRAMS.has(text) || CLUSTER_NAME.test(text)) return "is_program";
  const y = readY(bytes.value);
  if (SMALL_ORDER_Y.includes(y)) return "small_order";
  return isOnCurve(y) ? undefined : "off_curve";
}

/** The field of Curve25519, and the constant d of Ed25519 (RFC 8032, section 5.1). */
const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * The y of the eight points whose order divides the curve's cofactor. No key gives one of them, and anybody can make a signature that
 * holds for them.
 */
const ORDER_EIGHT_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL_ORDER_Y: readonly bigint[] = [0n, 1n, P - 1n, ORDER_EIGHT_Y, P - ORDER_EIGHT_Y];

/** The number that 32 bytes hold, without the highest bit, which is the sign of x. */
function readY(bytes: Uint8Array): bigint {
  let y = 0n;
  for (const byte of bytes.toReversed()) y = (y << 8n) | BigInt(byte);
  return y & ((1n << 255n) - 1n);
}

/**
 * True when `y` is that of a point of Ed25519, so that a key for it may exist (RFC 8032, section 5.1.3). Addresses that programs
 * derive are chosen so that they are none.
 */
function isOnCurve(y: bigint): boolean {
  if (y >= P) return false;
  const square = (y * y) % P;
  const u = (square + P - 1n) % P;
  const v = (D * square + 1n) % P;
  // x² = u / v has a root exactly if u·v has one, which Euler's criterion tells.
  const product = (u * v) % P;
  return product === 0n || raise(product, (P - 1n) / 2n) === 1n;
}

function raise(base: bigint, exponent: bigint): bigint {
  let [result, factor] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}
