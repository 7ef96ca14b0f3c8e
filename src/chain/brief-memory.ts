/**
 * Remembers an answer for some seconds, so that many transactions share it. What is kept is the value, never the promise of one: in
 * Workers a promise belongs to the request that made it.
 */
export class BriefMemory<Value> {
  readonly #lifeMs: number;
  readonly #readClockMs: () => number;
  readonly #ask: () => Promise<Value>;
  #known: { readonly value: Value; readonly readAtMs: number } | undefined;

  /** @param ask is called for the value when none is kept or it is older than `lifeMs`. */
  constructor(lifeMs: number, readClockMs: () => number, ask: () => Promise<Value>) {
    this.#lifeMs = lifeMs;
    this.#readClockMs = readClockMs;
    this.#ask = ask;
  }

  /** The value, and whether it was asked for just now. @throws what asking throws; nothing is kept then. */
  async read(): Promise<{ readonly value: Value; readonly isFresh: boolean }> {
    const nowMs = this.#readClockMs();
    if (this.#known !== undefined && nowMs - this.#known.readAtMs < this.#lifeMs) {
      return { value: this.#known.value, isFresh: false };
    }
    const value = await this.#ask();
    this.#known = { value, readAtMs: nowMs };
    return { value, isFresh: true };
  }
}
