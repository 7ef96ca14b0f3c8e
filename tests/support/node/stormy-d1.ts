import { Random } from "#dev/simulate/random";

/** D1 that takes its time, and in a storm now and then fails before it does the work, or loses the answer after. */
export class StormyD1 {
  isStormy = false;
  failedCount = 0;
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed + 1);
  }

  async reach<T>(work: () => T): Promise<T> {
    for (let turns = this.#random.between(1, 3); turns > 0; turns -= 1) await nextTurn();
    this.#mayFail();
    const value = work();
    await nextTurn();
    this.#mayFail();
    return value;
  }

  #mayFail(): void {
    if (!this.isStormy || !this.#random.chance(0.01)) return;
    this.failedCount += 1;
    throw new Error("D1_ERROR: network connection lost");
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
