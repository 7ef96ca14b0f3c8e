import { DurableObject } from "cloudflare:workers";
import { readClockMs } from "#platform/clock";
import { isD1Refusal } from "#storage/d1-errors";
import { projectInventories, projectInventory, type InventoryNews } from "#storage/reservations";
import { answerWithin } from "#platform/wait-at-most";

/** A trip sets out this long after the one before; right behind it when enough to fill it waits by then. */
const BETWEEN_TRIPS_MS = 300;
/** Changes that fill a trip. Few, because D1 does nothing else while it writes them. */
const FULL_TRIP = 250;

/** What D1 has not answered by then it will not answer: it gives up what takes 30 s. */
const LONGEST_TRIP_MS = 30_000;

/** The bindings a projector needs. */
interface ProjectorEnv {
  readonly DB: D1Database;
}

interface Waiting {
  readonly news: InventoryNews;
  readonly resolve: (isThere: boolean) => void;
  readonly reject: (reason: unknown) => void;
}

/** The method of the Durable Object `InventoryProjector`, one per tenant. */
export interface InventoryProjectorPort {
  /**
   * Brings an inventory's news to D1, together with those of others that come meanwhile.
   * @returns true once D1 has them; false when it does not have the ticket type yet.
   * @throws what D1 throws about these news.
   */
  project(news: InventoryNews): Promise<boolean>;
}

/**
 * Takes small news of a tenant's inventories to D1 in common trips. D1 takes one transaction at a time, whatever it carries: a sale
 * of many ticket types would keep it busy with trips of a few rows (docs/adr/0026).
 *
 * It stores nothing. An inventory keeps its news until it is told that D1 has them, so what dies here is brought again.
 */
export class InventoryProjector extends DurableObject<ProjectorEnv> implements InventoryProjectorPort {
  #waiting: Waiting[] = [];
  #isUnderWay = false;
  #nextTripMs = 0;

  project(news: InventoryNews): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ news, resolve, reject });
      if (!this.#isUnderWay) void this.#makeTrips();
    });
  }

  async #makeTrips(): Promise<void> {
    this.#isUnderWay = true;
    let trip: readonly Waiting[] = [];
    try {
      while (this.#waiting.length > 0) {
        const restMs = this.#nextTripMs - readClockMs();
        // A clock that was set back must not make anybody wait longer.
        if (restMs > 0 && !this.#isFull()) await scheduler.wait(Math.min(restMs, BETWEEN_TRIPS_MS));
        this.#nextTripMs = readClockMs() + BETWEEN_TRIPS_MS;
        trip = this.#takeTrip();
        await this.#tell(trip);
      }
    } catch (error) {
      // D1 would not answer those behind either. Who waits is told, and comes again; who was told already hears no second word.
      for (const { reject } of [...trip, ...this.#waiting.splice(0)]) reject(error);
    }
    this.#isUnderWay = false;
  }

  #isFull(): boolean {
    return this.#waiting.reduce((count, { news }) => count + news.changes.length, 0) >= FULL_TRIP;
  }

  #takeTrip(): readonly Waiting[] {
    let count = 0;
    const beyond = this.#waiting.findIndex(({ news }) => (count += news.changes.length) > FULL_TRIP);
    return this.#waiting.splice(0, beyond === -1 ? this.#waiting.length : Math.max(1, beyond));
  }

  /**
   * Each inventory hears of its own news. One row that D1 refuses spoils the whole trip, so it is halved until the inventory whose row it is
   * stands alone. @throws when D1 is away or does not answer: the rest have heard nothing then.
   */
  async #tell(shared: readonly Waiting[]): Promise<void> {
    const [first] = shared;
    if (shared.length === 1 && first) return this.#tellAlone(first);
    const news = shared.map((waiting) => waiting.news);
    try {
      const areThere = await answerWithin("trip", projectInventories(this.env.DB, news), LONGEST_TRIP_MS);
      for (const [position, { resolve }] of shared.entries()) resolve(areThere[position] ?? false);
    } catch (error) {
      if (!isD1Refusal(error)) throw error;
      const middle = Math.ceil(shared.length / 2);
      await this.#tell(shared.slice(0, middle));
      await this.#tell(shared.slice(middle));
    }
  }

  async #tellAlone({ news, resolve, reject }: Waiting): Promise<void> {
    try {
      resolve(await answerWithin("trip", projectInventory(this.env.DB, news), LONGEST_TRIP_MS));
    } catch (error) {
      if (!isD1Refusal(error)) throw error;
      reject(error);
    }
  }
}
