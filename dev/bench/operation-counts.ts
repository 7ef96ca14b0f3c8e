/** Path at which the counting bundle tells its counts, and starts again from nothing. */
export const BENCH_COUNTS_PATH = "/__bench/counts";

/** What the counting bundle counted; objects are `inventory`, `desk` and `gate`. */
export interface Counts {
  readonly objectCalls: Readonly<Record<string, number>>;
  readonly objectCommits: Readonly<Record<string, number>>;
  readonly objectRows: Readonly<Record<string, number>>;
  readonly alarmsSet: number;
  readonly d1RoundTrips: number;
  readonly d1Rows: number;
}

/** Reads the counts since the last call. */
export async function takeCounts(serviceUrl: string): Promise<Counts> {
  const response = await fetch(`${serviceUrl}${BENCH_COUNTS_PATH}`);
  return (await response.json()) as Counts; // written by the counting bundle
}

/** The counts of one operation, on average. */
export function countsPerOperation(counts: Counts, operations: number): Counts {
  const share = (count: number): number => count / Math.max(1, operations);
  const shares = (record: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(record).map(([name, count]) => [name, share(count)]));
  return {
    objectCalls: shares(counts.objectCalls),
    objectCommits: shares(counts.objectCommits),
    objectRows: shares(counts.objectRows),
    alarmsSet: share(counts.alarmsSet),
    d1RoundTrips: share(counts.d1RoundTrips),
    d1Rows: share(counts.d1Rows),
  };
}
