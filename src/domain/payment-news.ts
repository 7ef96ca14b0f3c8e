import { decideDispute } from "./dispute.ts";
import { apply, ignore, type NewsDecision } from "./news-decision.ts";
import { change, raise, type OrderRecord } from "./order.ts";
import type { OrderPayment, OrderView, PaymentNews } from "./order-messages.ts";
import type { PaidBy, PaymentKey, RefundReason } from "./order-money.ts";
import { isSamePayment, paidCentsOf } from "./order-payments.ts";
import { decideRefundNews } from "./refund-news.ts";
import { sendBack } from "./refund.ts";
import type { OrderStatus, PaymentStatus } from "./statuses.ts";

/** Events that wait at an order at most; more are refused, and a person is called. */
const MOST_WAITING = 20;

/** A payment moves only to a higher rank: a late `failed` says nothing about money that came. */
const PAYMENT_RANK: Readonly<Record<PaymentStatus, number>> = {
  REQUIRES_ACTION: 0,
  FAILED: 1,
  CANCELED: 1,
  SUCCEEDED: 2,
  REFUNDED: 3,
  DISPUTED: 4,
};

const PAYABLE: readonly OrderStatus[] = ["PENDING", "PAYMENT_FAILED", "EXPIRED"];

/**
 * True while money may still turn the order into tickets. Not once its stock was found sold: some of its holds were sales and
 * went back on sale, and their inventories would confirm them again without any stock behind them.
 */
function isPayable(record: OrderRecord): boolean {
  if (record.view.totalCents === 0 || record.step.kind !== "none") return false;
  return PAYABLE.includes(record.view.status) && !record.refunds.some((refund) => refund.reason === "sold_out_after_expiry");
}

/** True when the hold has run out and so has an early bird that the price rests on: nobody may have that price any more. */
function isPriceOver({ view, discounts = [] }: OrderRecord, nowMs: number): boolean {
  return view.holdExpiresAtMs <= nowMs && discounts.some(({ untilMs }) => untilMs !== undefined && untilMs <= nowMs);
}

function withPaymentStatus(view: OrderView, key: PaymentKey, status: PaymentStatus): OrderView {
  const { payment } = view;
  if (payment === null || !isSamePayment(payment, key) || PAYMENT_RANK[status] <= PAYMENT_RANK[payment.status]) return view;
  return { ...view, payment: { ...payment, status } };
}

/**
 * Decides what a payment event means for its order. State moves by rank, never by arrival: a late `failed` changes nothing
 * about money that came. Money that cannot become tickets is sent back, once. News of a refund or a dispute waits for the money
 * it speaks of, and for the step that is under way; {@link takeUpWaiting} decides about it then.
 */
export function decideNews(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  return mustWait(record, news) ? wait(record, news, nowMs) : decideNow(record, news, nowMs);
}

/** An event that has waited, and what became of it. */
export interface TakenUp extends Omit<NewsDecision, "record"> {
  readonly news: PaymentNews;
}

/** Decides about the events that waited and need not any more, the first one first; each may start a step for which others wait. */
export function takeUpWaiting(
  record: OrderRecord,
  nowMs: number,
): { readonly record: OrderRecord; readonly takenUp: readonly TakenUp[] } {
  const takenUp: TakenUp[] = [];
  let current = record;
  for (;;) {
    const news = current.waiting?.find((candidate) => !mustWait(current, candidate));
    if (!news) return { record: current, takenUp };
    const { record: decided, outcome, alert } = decideNow(withoutWaiting(current, news), news, nowMs);
    takenUp.push({ news, outcome, alert });
    current = decided;
  }
}

function mustWait(record: OrderRecord, news: PaymentNews): boolean {
  if (news.type.startsWith("payment.")) return false;
  return record.step.kind !== "none" || paidCentsOf(record, news) === undefined;
}

function wait(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const { waiting = [] } = record;
  const isTold = waiting.some(({ provider, eventId }) => provider === news.provider && eventId === news.eventId);
  if (isTold) return { record, outcome: "recorded", alert: null };
  if (waiting.length >= MOST_WAITING) return { record, outcome: "rejected", alert: "payment_event_rejected" };
  const { waitingSinceMs = nowMs } = record;
  return { record: { ...record, waiting: [...waiting, news], waitingSinceMs }, outcome: "recorded", alert: null };
}

function withoutWaiting(record: OrderRecord, news: PaymentNews): OrderRecord {
  const { waiting = [], waitingSinceMs: _since, ...others } = record;
  const rest = waiting.filter((other) => other !== news);
  return rest.length > 0 ? { ...record, waiting: rest } : others;
}

function decideNow(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  switch (news.type) {
    case "payment.succeeded":
      return decideSucceeded(record, news, nowMs);
    case "payment.failed":
    case "payment.canceled":
      return decideFailed(record, news);
    case "refund.succeeded":
    case "refund.failed":
      return decideRefundNews(record, news, nowMs);
    case "dispute.opened":
    case "dispute.won":
    case "dispute.lost":
      return decideDispute(record, news, nowMs);
  }
}

function decideSucceeded(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const { provider, paymentId, amountCents, currency } = news;
  const paid: PaidBy = { provider, paymentId, amountCents, currency };
  // It bought the order, is buying it, or is on its way back: its news has been acted upon.
  if (paidCentsOf(record, paid) !== undefined) return ignore(record);
  const arrived = { ...record, view: withPaymentStatus(record.view, paid, "SUCCEEDED") };
  if (record.view.status === "CANCELLED") return returned(arrived, paid, "order_cancelled", nowMs);
  if (!isPayable(record)) {
    return returned(arrived, paid, record.view.status === "EXPIRED" ? "sold_out_after_expiry" : "paid_twice", nowMs);
  }
  if (amountCents !== record.view.totalCents || currency !== record.view.currency) {
    return returned(arrived, paid, "amount_mismatch", nowMs);
  }
  if (isPriceOver(record, nowMs)) {
    return returned({ ...arrived, view: raise(arrived.view, "EXPIRED") }, paid, "sold_out_after_expiry", nowMs);
  }
  const view = { ...arrived.view, payment: paymentThatPaid(arrived.view.payment, paid) };
  return apply(change(record, { view, step: { kind: "confirm", paid } }));
}

/** The order's payment, or the one that paid it instead. */
function paymentThatPaid(payment: OrderPayment | null, paid: PaidBy): OrderPayment {
  if (payment !== null && isSamePayment(payment, paid)) return payment;
  return { provider: paid.provider, paymentId: paid.paymentId, status: "SUCCEEDED", action: { type: "none" } };
}

function returned(record: OrderRecord, paid: PaidBy, reason: RefundReason, nowMs: number): NewsDecision {
  const alert = reason === "amount_mismatch" || reason === "paid_twice" ? reason : null;
  return apply(sendBack(record, paid, reason, nowMs), alert);
}

function decideFailed(record: OrderRecord, news: PaymentNews): NewsDecision {
  const concerns = record.view.payment === null || isSamePayment(record.view.payment, news);
  const isBack = record.refunds.some((refund) => isSamePayment(refund, news));
  if (!isPayable(record) || !concerns || isBack) return ignore(record);
  const status = news.type === "payment.failed" ? "FAILED" : "CANCELED";
  const view = withPaymentStatus(raise(record.view, "PAYMENT_FAILED"), news, status);
  if (view === record.view) return ignore(record);
  return apply(change(record, { view }));
}
