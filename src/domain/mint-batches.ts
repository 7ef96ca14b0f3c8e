/**
 * Most mints of one transaction, by the version of its message. In the 1,232 bytes of version 0 no more than five fit
 * (docs/adr/0013); in the 4,096 of version 1 ten come near the number of calls that a transaction may make.
 */
const MOST_MINTS = { 0: 5, 1: 10 } as const;

/** Versions of a transaction's message: 0, which every cluster takes, and 1 (SIMD-0385). */
export type TransactionVersion = keyof typeof MOST_MINTS;

/**
 * The version that tickets are signed for in. What came to nothing goes on in version 0: if it was the version that a node
 * refused, the next transaction does not meet the same end.
 * @param wanted by the configuration.
 */
export function decideVersion(attempts: number, wanted: TransactionVersion): TransactionVersion {
  return attempts === 0 ? wanted : 0;
}

/** A ticket to be signed for. `place` is its tree and collection: only tickets of one place share a transaction. */
export interface BatchableMint {
  readonly place: string;
  /** Transactions signed for this ticket so far, none of which landed. */
  readonly attempts: number;
}

/**
 * How many tickets a ticket may share its next transaction with, itself included: 5 (10 in version 1), then 2, then 1.
 *
 * A transaction lands whole or not at all, so one ticket that the chain refuses takes its neighbours with it. Halving parts them:
 * after two transactions in vain each ticket stands alone, and only the refused one goes on failing.
 */
export function decideBatchLimit(attempts: number, wanted: TransactionVersion): number {
  const most = MOST_MINTS[decideVersion(attempts, wanted)];
  return Math.max(1, Math.floor(most / 2 ** Math.min(attempts, most)));
}

/** Parts tickets into those that may share transactions: of one place and one number of attempts, in the order given. */
export function groupMints<Mint extends BatchableMint>(mints: readonly Mint[]): Mint[][] {
  return [...Map.groupBy(mints, ({ attempts, place }) => `${attempts} ${place}`).values()];
}

/** A mint in a collection took 75,000 to 87,000 units in the real programs, more when an address is searched for longer. */
const UNITS_A_MINT = 100_000;
/** The compute budget's own instructions, and room for one mint that needs more than the others. */
const UNITS_TO_SPARE = 30_000;

/** The compute limit of a transaction with so many mints. The bid is paid for the limit, used or not. */
export function decideComputeUnits(mintCount: number): number {
  return mintCount * UNITS_A_MINT + UNITS_TO_SPARE;
}

/** Share of recent blocks in which the bid would have been enough. */
const BID_PERCENTILE = 0.75;
/** Least bid for a ticket whose last transaction did not land, doubled for each further one. Micro-lamports a compute unit. */
const FIRST_RAISE_MICRO_LAMPORTS = 10_000;

/**
 * The priority fee to bid, in micro-lamports a compute unit: what would have been enough in three of four recent blocks. A ticket
 * that was signed for in vain bids 10,000 at least, then 20,000, 40,000 …, because blocks may have been full.
 * @param recentFees least fee that got into each recent block, as `getRecentPrioritizationFees` tells it; may be empty.
 * @param cap the bid is never higher.
 */
export function decidePriorityFee(recentFees: readonly number[], attempts: number, cap: number): number {
  const sorted = recentFees.toSorted((a, b) => a - b);
  const usual = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * BID_PERCENTILE))] ?? 0;
  const raised = attempts === 0 ? 0 : FIRST_RAISE_MICRO_LAMPORTS * 2 ** (attempts - 1);
  return Math.min(cap, Math.max(usual, raised));
}
