import { deriveIdWithin } from "./ids.ts";
import { change, raise, type OrderRecord } from "./order.ts";
import type { OrderPayment, OrderView, PaymentNews } from "./order-messages.ts";
import type { PaidBy, PaymentKey, Refund, RefundReason } from "./order-money.ts";
import type { OrderStatus, PaymentEventOutcome, PaymentStatus, RefundStatus } from "./statuses.ts";

/** What became of a payment event, and whether a person should look. */
export interface NewsDecision {
  readonly record: OrderRecord;
  readonly outcome: PaymentEventOutcome;
  readonly alert: "amount_mismatch" | "paid_twice" | "dispute" | "refund_failed" | null;
}

/** A payment moves only to a higher rank: a late `failed` says nothing about money that came. */
const PAYMENT_RANK: Readonly<Record<PaymentStatus, number>> = {
  REQUIRES_ACTION: 0,
  FAILED: 1,
  CANCELED: 1,
  SUCCEEDED: 2,
  REFUNDED: 3,
  DISPUTED: 4,
};

/** A refund moves only to a higher rank; money that went back stays back. */
const REFUND_RANK: Readonly<Record<RefundStatus, number>> = { created: 0, submitted: 1, failed: 2, succeeded: 3 };

const PAYABLE: readonly OrderStatus[] = ["PENDING", "PAYMENT_FAILED", "EXPIRED"];

function isSamePayment(one: PaymentKey | null | undefined, other: PaymentKey): boolean {
  return one?.provider === other.provider && one.paymentId === other.paymentId;
}

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
 * about money that came. Money that cannot become tickets is sent back, once.
 */
export function decideNews(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  switch (news.type) {
    case "payment.succeeded":
      return decideSucceeded(record, news, nowMs);
    case "payment.failed":
    case "payment.canceled":
      return decideFailed(record, news);
    case "refund.succeeded":
      return decideRefundNews(record, news, "succeeded");
    case "refund.failed":
      return decideRefundNews(record, news, "failed");
    case "dispute.opened":
    case "dispute.won":
    case "dispute.lost":
      return { record, outcome: "recorded", alert: "dispute" };
  }
}

function decideSucceeded(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const { provider, paymentId, amountCents, currency } = news;
  const paid: PaidBy = { provider, paymentId, amountCents, currency };
  if (isSettled(record, paid)) return { record, outcome: "ignored", alert: null };
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
  return { record: change(record, { view, step: { kind: "confirm", paid } }), outcome: "applied", alert: null };
}

/** The order's payment, or the one that paid it instead. */
function paymentThatPaid(payment: OrderPayment | null, paid: PaidBy): OrderPayment {
  if (payment !== null && isSamePayment(payment, paid)) return payment;
  return { provider: paid.provider, paymentId: paid.paymentId, status: "SUCCEEDED", action: { type: "none" } };
}

/** True when this payment bought the order, is buying it, or is on its way back: its news has been acted upon. */
function isSettled(record: OrderRecord, paid: PaidBy): boolean {
  const { step, paidBy, refunds } = record;
  if (isSamePayment(paidBy, paid) || refunds.some((refund) => isSamePayment(refund, paid))) return true;
  return (step.kind === "confirm" || step.kind === "give_back") && isSamePayment(step.paid, paid);
}

function returned(record: OrderRecord, paid: PaidBy, reason: RefundReason, nowMs: number): NewsDecision {
  const alert = reason === "amount_mismatch" || reason === "paid_twice" ? reason : null;
  return { record: sendBack(record, paid, reason, nowMs), outcome: "applied", alert };
}

function decideFailed(record: OrderRecord, news: PaymentNews): NewsDecision {
  const concerns = record.view.payment === null || isSamePayment(record.view.payment, news);
  const isBack = record.refunds.some((refund) => isSamePayment(refund, news));
  if (!isPayable(record) || !concerns || isBack) return { record, outcome: "ignored", alert: null };
  const status = news.type === "payment.failed" ? "FAILED" : "CANCELED";
  const view = withPaymentStatus(raise(record.view, "PAYMENT_FAILED"), news, status);
  if (view === record.view) return { record, outcome: "ignored", alert: null };
  return { record: change(record, { view }), outcome: "applied", alert: null };
}

function decideRefundNews(record: OrderRecord, news: PaymentNews, status: "succeeded" | "failed"): NewsDecision {
  const moves = (refund: Refund): boolean => isSamePayment(refund, news) && REFUND_RANK[status] > REFUND_RANK[refund.status];
  if (!record.refunds.some(moves)) return { record, outcome: "ignored", alert: null };
  const refunds = record.refunds.map((refund) => (moves(refund) ? { ...refund, status } : refund));
  const view = status === "succeeded" ? withPaymentStatus(record.view, news, "REFUNDED") : record.view;
  return { record: change(record, { view, refunds }), outcome: "applied", alert: status === "failed" ? "refund_failed" : null };
}

/**
 * Asks for the whole payment back. The refund's id derives from order and payment, so there is one however often this runs.
 * A payment of nothing has nothing to give back.
 */
function sendBack(record: OrderRecord, paid: PaidBy, reason: RefundReason, nowMs: number): OrderRecord {
  const id = deriveIdWithin(record.view.id, ["refund", paid.provider, paid.paymentId]);
  if (record.refunds.some((refund) => refund.id === id)) return record;
  if (paid.amountCents <= 0) return change(record, {});
  const asked = { providerRefundId: null, status: "created", ticketIds: [], note: null } as const;
  const refund: Refund = { ...paid, ...asked, id, reason, createdAtMs: nowMs };
  return change(record, { refunds: [...record.refunds, refund] });
}

/** Every hold became a sale: the order is paid and its tickets exist. Changes nothing unless the order is at that step. */
export function settleConfirmed(record: OrderRecord, nowMs: number): OrderRecord {
  if (record.step.kind !== "confirm") return record;
  const paid = { ...raise(record.view, "PAID"), paidAtMs: nowMs };
  return change(record, { view: raise(paid, "AWAITING_MINT"), step: { kind: "none" }, paidBy: record.step.paid });
}

/**
 * Some hold could not become a sale: its time had run out and the stock is gone. Changes nothing unless the order is at that
 * step.
 * @param confirmedLines numbers of the holds (of lines, and of discounts' uses) that had become sales and go back on sale.
 */
export function settleSoldOut(record: OrderRecord, confirmedLines: readonly number[], nowMs: number): OrderRecord {
  if (record.step.kind !== "confirm") return record;
  const { paid } = record.step;
  const step = { kind: "give_back", paid, lineNumbers: confirmedLines } as const;
  const expired = change(record, { view: raise(record.view, "EXPIRED"), step });
  return confirmedLines.length > 0 ? expired : settleGivenBack(expired, nowMs);
}

/** What was confirmed is back on sale; the money goes back too. Changes nothing unless the order is at that step. */
export function settleGivenBack(record: OrderRecord, nowMs: number): OrderRecord {
  if (record.step.kind !== "give_back") return record;
  const { paid } = record.step;
  const done = change(record, { step: { kind: "none" } });
  return paid ? sendBack(done, paid, "sold_out_after_expiry", nowMs) : done;
}

/** The holds of a cancelled order are free. */
export function settleReleased(record: OrderRecord): OrderRecord {
  return record.step.kind === "release" ? change(record, { step: { kind: "none" } }) : record;
}

/** The provider has taken a refund; its own events may have told more already. */
export function settleRefund(
  record: OrderRecord,
  refundId: string,
  status: RefundStatus,
  providerRefundId: string,
): OrderRecord {
  const known = record.refunds.find((refund) => refund.id === refundId);
  if (!known || (known.providerRefundId !== null && known.status !== "created")) return record;
  const moved = { ...known, providerRefundId, status: REFUND_RANK[status] > REFUND_RANK[known.status] ? status : known.status };
  const refunds = record.refunds.map((refund) => (refund.id === refundId ? moved : refund));
  const view = moved.status === "succeeded" ? withPaymentStatus(record.view, known, "REFUNDED") : record.view;
  return change(record, { refunds, view });
}
