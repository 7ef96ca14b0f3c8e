import { WINDOW_MS, type ClientBansPort, type Violation } from "#domain/client-bans";
import { hashParts } from "#domain/ids";
import type { Logger } from "#platform/logger";
import { remember } from "#platform/remember";

/** Clients that one isolate remembers of each kind; the one remembered longest makes room. */
const MOST_CLIENTS = 10_000;
/** Refusals of a client in one window, told as one more violation each time: who waits as told never gets there. */
const REFUSALS_OF_A_FLOOD = 100;

/** What a guard reaches. */
export interface GuardReach {
  /** The object that counts a client's strikes, by the first hexadecimal digit of its hash. */
  bans(shard: string): ClientBansPort;
  readonly logger: Logger;
}

/**
 * Blocks clients that go on breaking rate limits. Who keeps within them costs one look into a map; the object that counts
 * strikes hears of a client's first refusal in a window and of each hundredth. Bans are remembered by the isolate for their
 * time: another one learns of them with the first request that it refuses.
 */
export class ClientGuard {
  readonly #reach: GuardReach;
  readonly #blockedUntilMs = new Map<string, number>();
  readonly #refusals = new Map<string, { readonly window: number; count: number }>();

  constructor(reach: GuardReach) {
    this.#reach = reach;
  }

  /** Seconds for which the client is still blocked, 1 or more; undefined for one that is not, as far as is known here. */
  blockedSeconds(key: string, nowMs: number): number | undefined {
    const untilMs = this.#blockedUntilMs.get(key);
    if (untilMs === undefined) return undefined;
    if (nowMs < untilMs) return Math.ceil((untilMs - nowMs) / 1000);
    this.#blockedUntilMs.delete(key);
    return undefined;
  }

  /**
   * Counts a request that exceeded a limit.
   * @returns seconds for which the client is blocked now; undefined when it is not, or when that cannot be found out.
   */
  async noteRefusal(key: string, nowMs: number): Promise<number | undefined> {
    const violation = this.#count(key, nowMs);
    if (violation === undefined) return undefined;
    const client = hashParts(["client", key]);
    try {
      const untilMs = await this.#reach.bans(client.slice(0, 1)).strike(client, violation);
      if (untilMs === null) return undefined;
      remember(this.#blockedUntilMs, key, untilMs, MOST_CLIENTS);
      return this.blockedSeconds(key, nowMs);
    } catch (error) {
      this.#reach.logger.warn("a violation of a rate limit could not be counted", { error });
      return undefined;
    }
  }

  #count(key: string, nowMs: number): Violation | undefined {
    const window = Math.floor(nowMs / WINDOW_MS);
    const known = this.#refusals.get(key);
    if (known?.window !== window) {
      remember(this.#refusals, key, { window, count: 1 }, MOST_CLIENTS);
      return "refused";
    }
    known.count += 1;
    return known.count % REFUSALS_OF_A_FLOOD === 0 ? "flooding" : undefined;
  }
}
