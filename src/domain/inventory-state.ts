import { ExpiryLedger } from "./expiry-ledger.ts";
import { countSold, type LineChange, type ReservationLine, type Stock } from "./inventory.ts";
import type { InventoryConfig, InventorySnapshot } from "./inventory-messages.ts";
import { assertInvariant } from "./result.ts";

/** The part of an inventory's state that is stored as one row. */
export interface InventoryCounters {
  readonly soldCount: number;
  /** Number of the last change of any kind: a higher one is newer. */
  readonly seq: number;
  /** Number of the last change of a reservation: the history has each number once, with no gap. */
  readonly historySeq: number;
  /** The latest moment a decision was made at, Unix milliseconds. */
  readonly clockMs: number;
}

/** A change that was made, with its number in the history. */
export interface NumberedChange extends LineChange {
  readonly historySeq: number;
  readonly atMs: number;
}

const NOTHING_YET: InventoryCounters = { soldCount: 0, seq: 0, historySeq: 0, clockMs: 0 };

/**
 * What an inventory keeps in memory: configuration, counters and, for each moment, how much is held until then. It is the
 * fold of all changes, and can be built again from storage at any time.
 *
 * Time never runs backwards in it. A machine whose clock is behind would else take an expired hold for live again after its
 * stock was sold to another, and sell it twice.
 */
export class InventoryState {
  #config: InventoryConfig;
  #counters: InventoryCounters;
  readonly #ledger = new ExpiryLedger();

  /** @param holds Every line that is still `ACTIVE`, expired or not, alone or added up by `expiresAtMs`. */
  constructor(
    config: InventoryConfig,
    counters: InventoryCounters = NOTHING_YET,
    holds: Iterable<{ readonly expiresAtMs: number; readonly quantity: number; readonly holdCount?: number }> = [],
  ) {
    this.#config = config;
    this.#counters = counters;
    for (const hold of holds) this.#ledger.add(hold.expiresAtMs, hold.quantity, hold.holdCount);
  }

  get config(): InventoryConfig {
    return this.#config;
  }

  get counters(): InventoryCounters {
    return this.#counters;
  }

  /** `nowMs`, or the moment of the last decision if that is later. */
  clockAt(nowMs: number): number {
    return Math.max(nowMs, this.#counters.clockMs);
  }

  /** What a decision made at `nowMs` sees. */
  stockAt(nowMs: number): Stock {
    const clockMs = this.clockAt(nowMs);
    return {
      config: this.#config,
      heldCount: this.#ledger.countLive(clockMs),
      soldCount: this.#counters.soldCount,
      nowMs: clockMs,
    };
  }

  /** What others are told. Invariant: heldCount + soldCount + availableCount = capacity, each 0 or more. */
  snapshotAt(nowMs: number): InventorySnapshot {
    const stock = this.stockAt(nowMs);
    const { capacity } = this.#config;
    const { heldCount, soldCount } = stock;
    return {
      capacity,
      heldCount,
      soldCount,
      availableCount: capacity - heldCount - soldCount,
      seq: this.#counters.seq,
      takenAtMs: stock.nowMs,
    };
  }

  /** When the earliest hold whose expiry is not reported yet ends or ended, Unix milliseconds. */
  firstExpiryMs(): number | undefined {
    return this.#ledger.firstExpiryMs();
  }

  /** Holds that have ended and whose expiry is not reported yet; `most` when there are more. */
  countEnded(nowMs: number, most: number): number {
    return this.#ledger.countEnded(this.clockAt(nowMs), most);
  }

  /** Puts a new configuration in force. */
  reconfigure(config: InventoryConfig, nowMs: number): void {
    this.#config = config;
    this.#counters = { ...this.#counters, seq: this.#counters.seq + 1, clockMs: this.clockAt(nowMs) };
  }

  /**
   * Folds a change in.
   * @param before The line as it was; undefined for a new one.
   */
  record(before: ReservationLine | undefined, change: LineChange, nowMs: number): NumberedChange {
    const after = change.line;
    if (before?.status === "ACTIVE") this.#ledger.remove(before.expiresAtMs, before.quantity);
    if (after.status === "ACTIVE") this.#ledger.add(after.expiresAtMs, after.quantity);
    const { seq, historySeq, soldCount } = this.#counters;
    const atMs = this.clockAt(nowMs);
    this.#counters = {
      soldCount: soldCount + countSold(after) - (before ? countSold(before) : 0),
      seq: seq + 1,
      historySeq: historySeq + 1,
      clockMs: atMs,
    };
    return { ...change, historySeq: historySeq + 1, atMs };
  }

  /** @throws when more is held and sold than there is, which no decision allows: a bug, and the group must be undone. */
  assertNotOversold(nowMs: number): void {
    const { config, heldCount, soldCount } = this.stockAt(nowMs);
    assertInvariant(
      soldCount >= 0 && heldCount >= 0 && heldCount + soldCount <= config.capacity,
      "more is held and sold than there is",
    );
  }
}
