import { dueAtMs, isLongWait } from "#domain/order-due";
import type { OrderRecord } from "#domain/order";
import type { PaymentNews, SettleOutcome } from "#domain/order-messages";
import { decideNews, takeUpWaiting } from "#domain/payment-news";
import { refundsByHand } from "#domain/refund";
import { isForeign } from "#domain/order-payments";
import type { Logger } from "#platform/logger";
import type { Emit } from "../outbox.ts";
import type { Commit } from "./commit.ts";
import { orderMessage, paymentEventMessage } from "./desk-delivery.ts";
import type { DeskStore } from "./desk-store.ts";
import type { StepOutcome } from "./order-steps.ts";

/** What the keeping of orders needs of its desk. */
export interface OrdersHooks {
  readonly store: DeskStore;
  readonly commit: Commit;
  /** An order was stored that is due at `dueMs`. */
  readonly noteDue: (dueMs: number | null) => void;
  readonly logger: Logger;
}

/** The orders of a desk: each change of one is stored with what the world must hear of it. */
export class DeskOrders {
  readonly #hooks: OrdersHooks;

  constructor(hooks: OrdersHooks) {
    this.#hooks = hooks;
  }

  /** The tenant's order. */
  findOwn(tenantId: string, orderId: string): OrderRecord | undefined {
    const record = this.#hooks.store.findOrder(orderId);
    return record?.view.tenantId === tenantId ? record : undefined;
  }

  /** Decides on the stored order and stores the outcome, in a commit. */
  change(orderId: string, decide: StepOutcome): Promise<void> {
    const { store, commit } = this.#hooks;
    return commit((nowMs, emit) => {
      const stored = store.findOrder(orderId);
      if (stored) this.save(stored, decide(stored, nowMs), nowMs, emit);
    });
  }

  /**
   * Stores an order in a commit, and what becomes of the payment events that need not wait any more. The world hears of the order
   * when it is new or a version on: attempts are the desk's own affair. Of one whose stock is being confirmed it hears when that is
   * done, moments later and for half of what two messages cost; after a crash the alarm takes that step and tells.
   */
  save(before: OrderRecord | undefined, changed: OrderRecord, nowMs: number, emit: Emit): void {
    if (changed === before) return;
    const record = changed.waiting ? this.#takeUp(changed, nowMs, emit) : changed;
    const dueMs = dueAtMs(record, nowMs);
    this.#hooks.store.saveOrder(record, dueMs);
    this.#hooks.noteDue(dueMs);
    for (const { id } of refundsByHand(before, record)) this.#alert(record, { alert: "refund_by_hand", refundId: id });
    if (isLongWait(before, record)) this.#alert(record, { alert: "payment_event_waiting" });
    if (record.version === before?.version || (before && record.step.kind === "confirm")) return;
    const orderId = record.view.id;
    const isIssued = record.view.paidAtMs !== null && (before?.view.paidAtMs ?? null) === null;
    const recall = before?.step.kind === "revoke" && record.recalled !== before.recalled ? before.step.recall : undefined;
    const recalled = recall && { recalled: { ticketIds: recall.ticketIds, cause: recall.cause } };
    emit(orderMessage({ orderId, isNew: before === undefined, isIssued, ...recalled, atMs: nowMs }));
  }

  /** Records a payment event with what it means for its order, in a commit; one that was recorded before changes nothing. */
  recordNews(news: PaymentNews, nowMs: number, emit: Emit): SettleOutcome {
    const { store } = this.#hooks;
    const record = store.findOrder(news.orderId);
    if (!record || isForeign(record, news)) return "unknown_order";
    const { record: changed, outcome, alert } = decideNews(record, news, nowMs);
    if (!store.insertPaymentEvent(news, outcome, nowMs)) return "duplicate";
    emit(paymentEventMessage(news, { tenantId: record.view.tenantId, outcome, attempts: 1, receivedAtMs: nowMs }));
    if (alert) this.#alert(record, { alert, eventType: news.type });
    this.save(record, changed, nowMs, emit);
    return "recorded";
  }

  #takeUp(changed: OrderRecord, nowMs: number, emit: Emit): OrderRecord {
    const { record, takenUp } = takeUpWaiting(changed, nowMs);
    for (const { news, outcome, alert } of takenUp) {
      const { attempts, receivedAtMs } = this.#hooks.store.decidePaymentEvent(news, outcome);
      emit(paymentEventMessage(news, { tenantId: record.view.tenantId, outcome, attempts, receivedAtMs }));
      if (alert) this.#alert(record, { alert, eventType: news.type });
    }
    return record;
  }

  #alert({ view }: OrderRecord, fields: Readonly<Record<string, string>>): void {
    this.#hooks.logger.error("a payment needs a person's eye", { orderId: view.id, ...fields });
  }
}
