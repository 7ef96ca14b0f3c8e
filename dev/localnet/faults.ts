import { Random } from "#dev/simulate/random";

/**
 * Trouble on purpose, set over RPC with `localnet_faults`. Each is something that real nodes do. Every node has its own.
 *
 * | field | what happens |
 * |---|---|
 * | `drop` | the next that many `sendTransaction` are accepted and never land |
 * | `delaySlots` | while above 0, each sent transaction lands that many slots later |
 * | `answers` | one entry a `sendTransaction`, first to last: an HTTP status is answered instead of doing anything; `land_then_504` does the work and answers 504; `ok` does nothing special |
 * | `isDark` | the connection of every call is cut without an answer |
 * | `behindSlots` | the node knows the chain as it was that many slots ago; accounts alone are shown as they are |
 * | `firstSlot` | the node has pruned all blocks before this slot |
 * | `missingSlots` | first and last of the slots during which the node was away: it came back from a snapshot and has no blocks of them; null for none |
 * | `das` | what `getAsset` and `getAssetProof` do: `on`; `off`, the node does not have them; or they lie: `wrong_owner`, `wrong_proof`, `other_tree`, `other_asset` |
 * | `dasBehindSlots` | the index behind them has not seen the blocks of the last that many slots |
 * | `refusesVersion1` | the node can't read transactions of version 1 |
 * | `priorityFee` | what `getRecentPrioritizationFees` tells of each recent block |
 * | `chances` | trouble drawn from a seed for every call; null for none |
 */
export interface Faults {
  drop: number;
  delaySlots: number;
  answers: (number | "land_then_504" | "ok")[];
  isDark: boolean;
  behindSlots: number;
  firstSlot: number;
  missingSlots: readonly [number, number] | null;
  das: "on" | "off" | "wrong_owner" | "wrong_proof" | "other_tree" | "other_asset";
  dasBehindSlots: number;
  refusesVersion1: boolean;
  priorityFee: number;
  chances: Chances | null;
}

/** How probable each trouble is, from 0 to 1. The same seed draws the same, call by call. */
export interface Chances {
  readonly seed: number;
  /** An HTTP status instead of doing anything: 429, 500, 502, 503 or 504. */
  readonly status: number;
  /** The connection is cut before anything is done. */
  readonly cut: number;
  /** The work is done, and the connection cut instead of an answer: what a time-out looks like to the caller. */
  readonly cutAfter: number;
  /** A sent transaction is accepted and never lands. */
  readonly drop: number;
  /** A sent transaction lands up to `longestDelaySlots` later. */
  readonly delay: number;
  readonly longestDelaySlots: number;
}

/** What happens to a call before its method runs, and to its answer. */
export type CallTrouble =
  | { readonly status: number; readonly isDone: boolean }
  | { readonly isCut: true; readonly isDone: boolean };

const STATUSES = [429, 500, 502, 503, 504];

/** No trouble. */
export function createFaults(): Faults {
  return {
    drop: 0,
    delaySlots: 0,
    answers: [],
    isDark: false,
    behindSlots: 0,
    firstSlot: 0,
    missingSlots: null,
    das: "on",
    dasBehindSlots: 0,
    refusesVersion1: false,
    priorityFee: 0,
    chances: null,
  };
}

/** Throws the dice of one node for its faults. */
export class FaultDice {
  readonly #faults: Faults;
  #seed: number | undefined;
  #random = new Random(0);

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** What happens to this call; undefined when nothing does. */
  drawForCall(method: string): CallTrouble | undefined {
    const { isDark, answers } = this.#faults;
    if (method.startsWith("localnet_")) return undefined;
    if (isDark) return { isCut: true, isDone: false };
    const answer = method === "sendTransaction" ? answers.shift() : undefined;
    if (answer === "land_then_504") return { status: 504, isDone: true };
    if (typeof answer === "number") return { status: answer, isDone: false };
    const drawn = this.#draw();
    if (drawn === undefined) return undefined;
    const { chances, random } = drawn;
    if (random.chance(chances.status)) return { status: random.pick(STATUSES), isDone: false };
    if (random.chance(chances.cut)) return { isCut: true, isDone: false };
    return random.chance(chances.cutAfter) ? { isCut: true, isDone: true } : undefined;
  }

  /** What becomes of a transaction that the node takes: it is lost, or lands after so many slots. */
  drawForTransaction(): { readonly isLost: boolean; readonly delaySlots: number } {
    const { drop, delaySlots } = this.#faults;
    if (drop > 0) {
      this.#faults.drop -= 1;
      return { isLost: true, delaySlots: 0 };
    }
    const drawn = this.#draw();
    if (drawn === undefined || delaySlots > 0) return { isLost: false, delaySlots };
    const { chances, random } = drawn;
    if (random.chance(chances.drop)) return { isLost: true, delaySlots: 0 };
    return { isLost: false, delaySlots: random.chance(chances.delay) ? random.between(1, chances.longestDelaySlots) : 0 };
  }

  #draw(): { readonly chances: Chances; readonly random: Random } | undefined {
    const { chances } = this.#faults;
    if (chances === null) return undefined;
    if (chances.seed !== this.#seed) {
      this.#seed = chances.seed;
      this.#random = new Random(chances.seed);
    }
    return { chances, random: this.#random };
  }
}
