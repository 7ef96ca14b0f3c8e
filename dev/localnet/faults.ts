/**
 * Trouble on purpose, set over RPC with `localnet_faults`. Each is something that real nodes do.
 *
 * | field | what happens to `sendTransaction` |
 * |---|---|
 * | `drop` | the next that many are accepted and never land |
 * | `delaySlots` | while above 0, each lands that many slots later |
 * | `answers` | one entry a call, first to last: an HTTP status is answered instead of doing anything; `land_then_504` does the work and answers 504; `ok` does nothing special |
 */
export interface Faults {
  drop: number;
  delaySlots: number;
  answers: (number | "land_then_504" | "ok")[];
}

/** No trouble. */
export function createFaults(): Faults {
  return { drop: 0, delaySlots: 0, answers: [] };
}
