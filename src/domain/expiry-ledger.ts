import { assertInvariant } from "./result.ts";

/** Leading empty buckets are dropped once there are this many of them and they are half of all. */
const FEWEST_TO_COMPACT = 1_024;

/**
 * How many tickets are held until when: one bucket per `expiresAtMs`, sorted, so that the number still held at any moment is
 * exact without asking storage and without an alarm having run (docs/adr/0003).
 *
 * Cost: with one hold time new buckets come last, so adding is O(1); finding a bucket is O(log n). Counting moves a cursor
 * from the last moment asked for to this one, so each bucket is passed once as time goes by. A hold time that was shortened
 * puts buckets in the middle: O(n) moves, of 24 bytes each.
 *
 * Invariant: `liveCount` is the sum of the buckets at and after `cursor`; those before it expired at or before the last
 * moment asked for.
 */
export class ExpiryLedger {
  #times: number[] = [];
  #counts: number[] = [];
  /** How many holds the tickets of a bucket are in. */
  #holdCounts: number[] = [];
  /** First bucket that may be non-empty. */
  #head = 0;
  #cursor = 0;
  #liveCount = 0;

  /** Notes that `quantity` tickets are held until `expiresAtMs` (half-open: at that very moment they are free), in so many holds. */
  add(expiresAtMs: number, quantity: number, holdCount = 1): void {
    const position = this.#findPosition(expiresAtMs);
    if (this.#times[position] === expiresAtMs) {
      this.#counts[position] = (this.#counts[position] ?? 0) + quantity;
      this.#holdCounts[position] = (this.#holdCounts[position] ?? 0) + holdCount;
    } else {
      this.#times.splice(position, 0, expiresAtMs);
      this.#counts.splice(position, 0, quantity);
      this.#holdCounts.splice(position, 0, holdCount);
      if (position < this.#cursor) this.#cursor += 1;
    }
    if (position >= this.#cursor) this.#liveCount += quantity;
    this.#head = Math.min(this.#head, position);
  }

  /** Takes a hold back that {@link add} noted, because it ended in another way or its expiry was reported. */
  remove(expiresAtMs: number, quantity: number): void {
    const position = this.#findPosition(expiresAtMs);
    const count = this.#times[position] === expiresAtMs ? (this.#counts[position] ?? 0) : 0;
    assertInvariant(count >= quantity, "a hold was removed from the expiry ledger that is not in it");
    this.#counts[position] = count - quantity;
    this.#holdCounts[position] = (this.#holdCounts[position] ?? 0) - 1;
    if (position >= this.#cursor) this.#liveCount -= quantity;
    this.#dropEmptyHead();
  }

  /** Tickets held at `nowMs`: those whose `expiresAtMs` is later. */
  countLive(nowMs: number): number {
    let next = this.#times[this.#cursor];
    while (next !== undefined && next <= nowMs) {
      this.#liveCount -= this.#counts[this.#cursor] ?? 0;
      this.#cursor += 1;
      next = this.#times[this.#cursor];
    }
    let previous = this.#times[this.#cursor - 1];
    while (previous !== undefined && previous > nowMs) {
      this.#cursor -= 1;
      this.#liveCount += this.#counts[this.#cursor] ?? 0;
      previous = this.#times[this.#cursor - 1];
    }
    return this.#liveCount;
  }

  /** Holds that ended by `nowMs` and whose expiry is not reported yet; `most` when there are more. */
  countEnded(nowMs: number, most: number): number {
    let endedCount = 0;
    for (let position = this.#head; endedCount < most; position += 1) {
      const time = this.#times[position];
      if (time === undefined || time > nowMs) break;
      endedCount += this.#holdCounts[position] ?? 0;
    }
    return Math.min(endedCount, most);
  }

  /** The earliest `expiresAtMs` of a hold whose expiry is not reported yet; undefined when nothing is held. */
  firstExpiryMs(): number | undefined {
    return this.#times[this.#head];
  }

  /** First position whose time is `expiresAtMs` or later. */
  #findPosition(expiresAtMs: number): number {
    const last = this.#times.at(-1);
    if (last === undefined || last < expiresAtMs) return this.#times.length;
    let low = this.#head;
    let high = this.#times.length - 1;
    if ((this.#times[low] ?? Number.POSITIVE_INFINITY) >= expiresAtMs) low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] ?? Number.POSITIVE_INFINITY) < expiresAtMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropEmptyHead(): void {
    while (this.#head < this.#times.length && this.#counts[this.#head] === 0) this.#head += 1;
    if (this.#head < FEWEST_TO_COMPACT || this.#head * 2 < this.#times.length) return;
    this.#times.splice(0, this.#head);
    this.#counts.splice(0, this.#head);
    this.#holdCounts.splice(0, this.#head);
    this.#cursor = Math.max(0, this.#cursor - this.#head);
    this.#head = 0;
  }
}
