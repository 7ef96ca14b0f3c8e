import { expireOrder } from "#domain/order";
import { dueAtMs, noteLongWait } from "#domain/order-due";
import type { Logger } from "#platform/logger";
import { waitAtMost } from "#platform/wait-at-most";
import type { Commit } from "./commit.ts";
import type { DeskOrders } from "./desk-orders.ts";
import type { DeskStore } from "./desk-store.ts";
import type { OrderProgress } from "./order-progress.ts";

/** Orders looked after in one alarm. */
const ORDERS_PER_ALARM = 100;
/** How long an order that an alarm has taken up is left alone: if the object dies meanwhile, it is taken up again then. */
const TAKEN_UP_MS = 30_000;
/** How long an alarm waits for its orders. A provider may take seconds to answer, and D1 waits behind the alarm. */
const PATIENCE_MS = 500;
const HOUR_MS = 3_600_000;
/** Idempotency records live a day; orders over a year: tickets are sold long before, and disputed long after, their event. */
const KEEP_REQUESTS_MS = 24 * HOUR_MS;
const KEEP_ORDERS_MS = 400 * 24 * HOUR_MS;
const PRUNED_AT_ONCE = 200;
/** Between two prunings while there is more to forget, and otherwise. */
const PRUNE_AGAIN_MS = 1_000;
const PRUNE_EVERY_MS = HOUR_MS;

/** What upkeep needs of its desk. */
export interface UpkeepHooks {
  readonly store: DeskStore;
  readonly orders: DeskOrders;
  readonly progress: OrderProgress;
  readonly commit: Commit;
  readonly logger: Logger;
}

/** What time brings to a desk: orders that expire, steps to take up again, old records to forget. Runs in the alarm. */
export class DeskUpkeep {
  readonly #hooks: UpkeepHooks;
  #nextDueMs: number | undefined;
  #nextPruneMs: number | undefined;

  constructor(hooks: UpkeepHooks) {
    this.#hooks = hooks;
    this.reload();
  }

  /** Reads again from storage what is known of the next due order. */
  reload(): void {
    this.#nextDueMs = this.#hooks.store.firstDueMs();
  }

  /** An order was stored that is due at `dueMs`. */
  noteDue(dueMs: number | null): void {
    if (dueMs !== null && (this.#nextDueMs === undefined || dueMs < this.#nextDueMs)) this.#nextDueMs = dueMs;
  }

  /** When there is next something to do, Unix milliseconds; undefined while there is nothing. */
  nextWorkMs(): number | undefined {
    this.#nextPruneMs ??= this.#firstPruneMs();
    const nextMs = Math.min(this.#nextDueMs ?? Infinity, this.#nextPruneMs ?? Infinity);
    return nextMs === Infinity ? undefined : nextMs;
  }

  /** A bounded piece of the work that is due. */
  async run(nowMs: number): Promise<void> {
    const { store, commit } = this.#hooks;
    const orderIds = store.listDueOrderIds(nowMs, ORDERS_PER_ALARM);
    if (orderIds.length > 0) {
      await commit(() => store.putOffOrders(orderIds, nowMs + TAKEN_UP_MS));
      await waitAtMost(Promise.all(orderIds.map((orderId) => this.#lookAfter(orderId))), PATIENCE_MS);
    }
    this.#nextPruneMs ??= this.#firstPruneMs();
    if (this.#nextPruneMs !== undefined && this.#nextPruneMs <= nowMs) this.#prune(nowMs);
    this.reload();
  }

  /** Never rejects: an order that this fails for stays due and is taken up again. */
  async #lookAfter(orderId: string): Promise<void> {
    const { store, orders, progress, commit, logger } = this.#hooks;
    try {
      await orders.change(orderId, (record, nowMs) => noteLongWait(expireOrder(record, nowMs), nowMs));
      await progress.advance(orderId, "done");
      await commit((nowMs) => {
        const record = store.findOrder(orderId);
        if (!record) return;
        const dueMs = dueAtMs(record, nowMs);
        store.putOffOrders([orderId], dueMs);
        this.noteDue(dueMs);
      });
    } catch (error) {
      logger.error("an order could not be looked after, will be tried again", { orderId, error });
    }
  }

  #prune(nowMs: number): void {
    const sinceMs = { requests: nowMs - KEEP_REQUESTS_MS, orders: nowMs - KEEP_ORDERS_MS };
    const forgot = this.#hooks.store.prune(sinceMs, PRUNED_AT_ONCE);
    const nextMs = this.#firstPruneMs();
    this.#nextPruneMs = nextMs && Math.max(nextMs, nowMs + (forgot && nextMs <= nowMs ? PRUNE_AGAIN_MS : PRUNE_EVERY_MS));
  }

  #firstPruneMs(): number | undefined {
    const { requests = Infinity, orders = Infinity } = this.#hooks.store.oldestMs();
    const firstMs = Math.min(requests + KEEP_REQUESTS_MS, orders + KEEP_ORDERS_MS);
    return firstMs === Infinity ? undefined : firstMs;
  }
}
