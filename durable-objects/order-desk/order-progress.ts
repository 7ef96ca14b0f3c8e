import type { OrderRecord } from "#domain/order";
import type { Logger } from "#platform/logger";
import { takeNextStep, type StepOutcome, type StepReach } from "./order-steps.ts";

/** Steps of one go; an order has at most four. */
const STEPS_AT_ONCE = 8;

/** What progress needs of the desk. */
export interface ProgressHooks {
  findOrder(orderId: string): OrderRecord | undefined;
  /** Decides the outcome on the stored order and stores it, in a commit. */
  applyStep(orderId: string, outcome: StepOutcome): Promise<void>;
  /** Counts a failed attempt and puts the next one off, in a commit. */
  putOff(orderId: string): Promise<void>;
}

/**
 * Takes orders through their steps: each step is a call outside between two commits, and the stored order says which is
 * next, so a crash between any two continues where it stopped.
 */
export class OrderProgress {
  readonly #reach: StepReach;
  readonly #hooks: ProgressHooks;
  readonly #logger: Logger;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(reach: StepReach, hooks: ProgressHooks, logger: Logger) {
    this.#reach = reach;
    this.#hooks = hooks;
    this.#logger = logger;
  }

  /**
   * Goes on with an order until nothing is left to do (`done`), or until its stock and tickets are settled and only refunds
   * remain (`settled`, which a caller may wait for). Never rejects: what fails is put off and taken up by the alarm.
   */
  async advance(orderId: string, until: "settled" | "done"): Promise<void> {
    await this.#underWay.get(orderId);
    const run = this.#run(orderId, until).finally(() => this.#underWay.delete(orderId));
    this.#underWay.set(orderId, run);
    await run;
  }

  async #run(orderId: string, until: "settled" | "done"): Promise<void> {
    try {
      for (let step = 0; step < STEPS_AT_ONCE; step += 1) {
        const record = this.#hooks.findOrder(orderId);
        if (!record || (until === "settled" && record.step.kind === "none")) return;
        const outcome = await takeNextStep(this.#reach, record);
        if (!outcome) return;
        await this.#hooks.applyStep(orderId, outcome);
      }
    } catch (error) {
      this.#logger.warn("an order's step failed, will be tried again", { orderId, error });
      await this.#hooks.putOff(orderId);
    }
  }
}
