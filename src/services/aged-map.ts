import { remember } from "#platform/remember";

/** How long an {@link AgedMap} gives its values out, and how many it keeps. Times are milliseconds. */
export interface AgedMapLimits {
  readonly maxEntries: number;
  /** Up to this age a value is given to everyone. */
  readonly freshForMs: number;
  /** Past that, one caller is told to refresh it, and for this long the others still get the old value. */
  readonly refreshForMs: number;
  /** Older than this a value is never given out. */
  readonly usableForMs: number;
}

interface Aged<Value> {
  readonly value: Value;
  readonly storedAtMs: number;
  refreshUntilMs: number;
}

/**
 * Values an isolate remembers for a short while. It holds values only: in Workers a promise belongs to the request that made
 * it, so requests can't wait for one another's reads; instead one of them refreshes while the others use what is there.
 */
export class AgedMap<Value> {
  readonly #limits: AgedMapLimits;
  readonly #entries = new Map<string, Aged<Value>>();
  #forgotten = 0;

  constructor(limits: AgedMapLimits) {
    this.#limits = limits;
  }

  /** Changes with each {@link forget}: a value read before one must not be stored after it. */
  get generation(): number {
    return this.#forgotten;
  }

  /** The value, unless there is none, it is too old, or it is this caller's turn to refresh it. */
  find(key: string, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageMs = nowMs - entry.storedAtMs;
    if (ageMs <= this.#limits.freshForMs) return entry.value;
    if (nowMs < entry.refreshUntilMs && ageMs <= this.#limits.usableForMs) return entry.value;
    entry.refreshUntilMs = nowMs + this.#limits.refreshForMs;
    return undefined;
  }

  /** The value however often it should have been refreshed, as long as it is usable at all. */
  findUsable(key: string, nowMs: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry && nowMs - entry.storedAtMs <= this.#limits.usableForMs ? entry.value : undefined;
  }

  /** Stores a value; the one stored longest ago makes room. */
  store(key: string, value: Value, nowMs: number): void {
    remember(this.#entries, key, { value, storedAtMs: nowMs, refreshUntilMs: 0 }, this.#limits.maxEntries);
  }

  forget(key: string): void {
    this.#forgotten += 1;
    this.#entries.delete(key);
  }
}
