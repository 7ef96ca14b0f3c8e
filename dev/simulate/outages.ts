import type { Surroundings } from "./surroundings.ts";

/** How often it is drawn whether something goes away, and for how long it then does, ms. */
const DRAWN_EVERY_MS = 1_000;
const LONGEST_MS = [10_000, 300_000];

/** What may be away for minutes. */
export class Outages {
  readonly #world: Surroundings;
  readonly #untilMs = { d1: 0, queue: 0, provider: 0 };

  constructor(world: Surroundings) {
    this.#world = world;
  }

  /** Begins to draw outages, for as long as the world runs. */
  begin(): void {
    const world = this.#world;
    for (const place of ["d1", "queue", "provider"] as const) {
      if (!world.isDue(`${place}Outage`)) continue;
      const forMs = world.random.between(DRAWN_EVERY_MS, world.random.pick(LONGEST_MS));
      this.#untilMs[place] = world.loop.nowMs + forMs;
      world.note(`outage: ${place} for ${forMs} ms`);
    }
    world.loop.after(DRAWN_EVERY_MS, undefined, () => this.begin());
  }

  /** Everything is there again. */
  end(): void {
    Object.assign(this.#untilMs, { d1: 0, queue: 0, provider: 0 });
  }

  isDown(place: "d1" | "queue" | "provider"): boolean {
    return this.#world.loop.nowMs < this.#untilMs[place];
  }
}
