import type { DeskOrders } from "./desk-orders.ts";
import type { DeskStore } from "./desk-store.ts";
import { takeNextStep, type StepReach } from "./order-steps.ts";

/** Steps of one go. An order has a few, but for each payment too many it has a refund more; the alarm does the rest. */
const STEPS_AT_ONCE = 8;

/** A step that failed this often, by then over several minutes, needs a person's eye; it is tried on all the same. */
const ATTEMPTS_TO_ALERT = 10;

/**
 * Takes orders through their steps: each step is a call outside between two commits, and the stored order says which is
 * next, so a crash between any two continues where it stopped.
 */
export class OrderProgress {
  readonly #reach: StepReach;
  readonly #store: DeskStore;
  readonly #orders: DeskOrders;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(reach: StepReach, store: DeskStore, orders: DeskOrders) {
    this.#reach = reach;
    this.#store = store;
    this.#orders = orders;
  }

  /**
   * Goes on with an order until nothing is left to do (`done`), or until its stock and tickets are settled and only refunds
   * remain (`settled`, which a caller may wait for). What fails is put off and taken up by the alarm.
   *
   * One run at a time for an order: of two, one could find the stock gone while the other confirms what came free meanwhile,
   * and that sale would belong to nobody.
   */
  async advance(orderId: string, until: "settled" | "done"): Promise<void> {
    const before = this.#underWay.get(orderId) ?? Promise.resolve();
    const run = before.then(
      () => this.#run(orderId, until),
      () => this.#run(orderId, until),
    );
    this.#underWay.set(orderId, run);
    try {
      await run;
    } finally {
      if (this.#underWay.get(orderId) === run) this.#underWay.delete(orderId);
    }
  }

  async #run(orderId: string, until: "settled" | "done"): Promise<void> {
    try {
      for (let step = 0; step < STEPS_AT_ONCE; step += 1) {
        const record = this.#store.findOrder(orderId);
        if (!record || (until === "settled" && record.step.kind === "none")) return;
        const outcome = await takeNextStep(this.#reach, record);
        if (!outcome) return;
        await this.#orders.change(orderId, outcome);
      }
    } catch (error) {
      const attempts = (this.#store.findOrder(orderId)?.attempts ?? 0) + 1;
      const { logger } = this.#reach;
      logger.warn("an order's step failed, will be tried again", { orderId, attempts, error });
      if (attempts === ATTEMPTS_TO_ALERT) logger.error("an order's step keeps failing", { alert: "order_step_stuck", orderId });
      await this.#orders.change(orderId, (record) => ({ ...record, attempts: record.attempts + 1 }));
    }
  }
}
