import type { HoldView, MadeOnce, OrderView, PaymentNews, RequestIdentity } from "#domain/order-messages";
import { ORDER_STATUS_RANK } from "#domain/statuses";
import type { Report } from "./stock-model.ts";

/** What buyers and providers were told. Each of it must still be true at the end, whatever crashed in between. */
export class PromiseBook {
  /** Orders as they were first acknowledged. */
  readonly orders = new Map<string, OrderView>();
  readonly holds = new Map<string, HoldView>();
  /** Payment events that were answered with "recorded" or "duplicate", with their orders. */
  readonly events = new Map<string, string>();
  readonly cancelled = new Set<string>();
  /** Tickets that a manager was told are dead. */
  readonly dead = new Set<string>();
  readonly released = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #refusals = new Map<string, string>();
  readonly #ranks = new Map<string, number>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  /** An answer to a purchase: the first one holds for every repeat. */
  placed(request: RequestIdentity, answer: MadeOnce<OrderView>): void {
    const { requestId } = request;
    if (!answer.ok) return this.#refused(requestId, answer.failure.code, this.orders.has(requestId));
    const refusal = this.#refusals.get(requestId);
    if (refusal !== undefined) this.#report(`request ${requestId} was refused (${refusal}) and then made an order`);
    const known = this.orders.get(requestId);
    const { orderNumber, totalCents, reservationId } = answer.value;
    if (known?.orderNumber !== undefined && known.orderNumber !== orderNumber)
      this.#report(`order ${requestId} was made twice`);
    if (known && (known.totalCents !== totalCents || known.reservationId !== reservationId)) {
      this.#report(`order ${requestId} was answered differently the second time`);
    }
    if (!known) this.orders.set(requestId, answer.value);
  }

  /** An answer to a hold. */
  held(request: RequestIdentity, answer: MadeOnce<HoldView>): void {
    const { requestId } = request;
    if (!answer.ok) return this.#refused(requestId, answer.failure.code, this.holds.has(requestId));
    const known = this.holds.get(requestId);
    if (known && known.expiresAtMs !== answer.value.expiresAtMs) this.#report(`hold ${requestId} was made twice`);
    this.holds.set(requestId, answer.value);
  }

  /** A payment event was answered. */
  settled(news: PaymentNews, outcome: string): void {
    if (outcome === "unknown_order") this.#report(`order ${news.orderId} was acknowledged, and its desk does not know it`);
    else this.events.set(news.eventId, news.orderId);
    if (outcome !== "recorded") return;
    if (this.#recorded.has(news.eventId)) this.#report(`event ${news.eventId} was recorded twice`);
    this.#recorded.add(news.eventId);
  }

  /** What a buyer saw last of an order; a read that starts now must not show less. */
  rankSeen(orderId: string): number {
    return this.#ranks.get(orderId) ?? 0;
  }

  /** A buyer reads an order. `leastRank` is what was seen before the read began. */
  saw(orderId: string, view: OrderView | undefined, leastRank: number): void {
    if (!view) {
      if (this.orders.has(orderId)) this.#report(`order ${orderId} was acknowledged and is gone`);
      return;
    }
    const rank = ORDER_STATUS_RANK[view.status];
    if (rank < leastRank) this.#report(`order ${orderId} went back to ${view.status}`);
    this.#ranks.set(orderId, Math.max(rank, this.rankSeen(orderId)));
  }

  #refused(requestId: string, code: string, wasMade: boolean): void {
    if (code === "idempotency_key_reused") return;
    if (code === "not_found") this.#report(`request ${requestId} names a hold that was acknowledged, and it is not there`);
    const known = this.#refusals.get(requestId);
    if (wasMade) this.#report(`request ${requestId} was answered, and then refused (${code})`);
    if (known !== undefined && known !== code) this.#report(`request ${requestId} was refused as ${known}, then as ${code}`);
    this.#refusals.set(requestId, code);
  }
}
