import type { Failure } from "./failure.ts";
import { deriveIdWithin } from "./ids.ts";
import type { HoldView, IssuedTicket, OrderPayment, OrderView, PaymentNews } from "./order-messages.ts";
import { refuse, succeed, type Result } from "./result.ts";
import {
  ORDER_STATUS_RANK,
  type OrderStatus,
  type PaymentEventOutcome,
  type RefundStatus,
  type ReservationStatus,
} from "./statuses.ts";

/** Money on its way back. `id` is derived and is the provider's idempotency key, so it is asked for once. */
export interface Refund {
  readonly id: string;
  readonly provider: string;
  readonly paymentId: string;
  readonly providerRefundId: string | null;
  readonly status: RefundStatus;
  readonly amountCents: number;
  readonly currency: string;
  readonly reason: RefundReason;
  readonly createdAtMs: number;
}

export type RefundReason = "amount_mismatch" | "order_cancelled" | "paid_twice" | "sold_out_after_expiry";

/**
 * What the desk must do next outside itself for an order. Every step may be repeated.
 *
 * - `confirm`: turn each hold into a sale, then issue the tickets.
 * - `give_back`: some lines were confirmed and another could not be; put those back on sale, then refund.
 * - `release`: the order was cancelled; give its holds back.
 */
export type OrderStep =
  | { readonly kind: "none" }
  | { readonly kind: "confirm"; readonly paid: PaidBy | null }
  | { readonly kind: "give_back"; readonly paid: PaidBy | null; readonly lineNumbers: readonly number[] }
  | { readonly kind: "release" };

/** The payment that an order is being settled with. */
export interface PaidBy {
  readonly provider: string;
  readonly paymentId: string;
  readonly amountCents: number;
  readonly currency: string;
}

/** An order as its desk stores it. `version` grows with each change and orders the projection. */
export interface OrderRecord {
  readonly view: OrderView;
  readonly route: string;
  readonly bodyHash: string;
  readonly version: number;
  readonly step: OrderStep;
  readonly refunds: readonly Refund[];
  /** Attempts at the present step; 0 when none has failed. */
  readonly attempts: number;
}

const PAYABLE: readonly OrderStatus[] = ["PENDING", "PAYMENT_FAILED", "EXPIRED"];

/** True while money may still turn the order into tickets. */
function isPayable(record: OrderRecord): boolean {
  return PAYABLE.includes(record.view.status) && record.step.kind === "none";
}

function change(record: OrderRecord, to: Partial<Pick<OrderRecord, "view" | "step" | "refunds">>): OrderRecord {
  return { ...record, ...to, version: record.version + 1, attempts: 0 };
}

/** The view with a higher status, or unchanged when `status` would lower its rank. */
function raise(view: OrderView, status: OrderStatus): OrderView {
  return ORDER_STATUS_RANK[status] > ORDER_STATUS_RANK[view.status] ? { ...view, status } : view;
}

function withPaymentStatus(view: OrderView, paymentId: string, status: OrderPayment["status"]): OrderView {
  if (view.payment?.paymentId !== paymentId || view.payment.status === status) return view;
  return { ...view, payment: { ...view.payment, status } };
}

/** The order as it reads at `nowMs`: an unpaid order whose hold has run out is EXPIRED, whether or not an alarm has said so. */
export function viewAt(record: OrderRecord, nowMs: number): OrderView {
  return isOverdue(record, nowMs) ? raise(record.view, "EXPIRED") : record.view;
}

/** True when an unpaid order's hold has run out (half-open: at `holdExpiresAtMs` it has). */
export function isOverdue(record: OrderRecord, nowMs: number): boolean {
  const unpaid = record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED";
  return unpaid && record.step.kind === "none" && record.view.holdExpiresAtMs <= nowMs;
}

/** A new order. A free one starts at the step that a paid one reaches with its payment. */
export function newOrder(view: OrderView, route: string, bodyHash: string): OrderRecord {
  const step: OrderStep = view.totalCents === 0 ? { kind: "confirm", paid: null } : { kind: "none" };
  return { view, route, bodyHash, version: 1, step, refunds: [], attempts: 0 };
}

/**
 * What the request that placed the order was told, to tell it again: a paid order was PENDING with a payment to make, a
 * free one was settled in the answer.
 */
export function firstAnswerOf(record: OrderRecord): OrderView {
  const { view } = record;
  if (view.totalCents === 0) return view;
  const payment = view.payment && { ...view.payment, status: "REQUIRES_ACTION" as const };
  return { ...view, status: "PENDING", payment, paidAtMs: null };
}

/** Remembers the payment made at the provider. The first one wins; a repeat changes nothing. */
export function attachPayment(record: OrderRecord, payment: OrderPayment): OrderRecord {
  if (record.view.payment !== null) return record;
  return change(record, { view: { ...record.view, payment } });
}

/** Marks an overdue order EXPIRED. Its inventories have freed the stock by themselves. */
export function expireOrder(record: OrderRecord, nowMs: number): OrderRecord {
  return isOverdue(record, nowMs) ? change(record, { view: raise(record.view, "EXPIRED") }) : record;
}

/** Cancels an unpaid order; refuses one that is being paid, is paid, or has ended otherwise. A repeat changes nothing. */
export function cancelOrder(record: OrderRecord, nowMs: number): Result<OrderRecord, Failure> {
  if (record.view.status === "CANCELLED") return succeed(record);
  const open = viewAt(record, nowMs).status;
  if ((open !== "PENDING" && open !== "PAYMENT_FAILED") || record.step.kind !== "none") return refuse({ code: "order_not_pending" });
  return succeed(change(record, { view: raise(record.view, "CANCELLED"), step: { kind: "release" } }));
}

/** What became of a payment event, and whether a person should look. */
export interface NewsDecision {
  readonly record: OrderRecord;
  readonly outcome: PaymentEventOutcome;
  readonly alert: "amount_mismatch" | "paid_twice" | "dispute" | null;
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
  const paid: PaidBy = { provider: news.provider, paymentId: news.paymentId, amountCents: news.amountCents, currency: news.currency };
  if (wasSettledWith(record, news.paymentId)) return { record, outcome: "ignored", alert: null };
  const view = withPaymentStatus(record.view, news.paymentId, "SUCCEEDED");
  if (record.view.status === "CANCELLED") {
    return { record: sendBack({ ...record, view }, paid, "order_cancelled", nowMs), outcome: "applied", alert: null };
  }
  if (!isPayable(record)) {
    return { record: sendBack(record, paid, "paid_twice", nowMs), outcome: "applied", alert: "paid_twice" };
  }
  if (news.amountCents !== record.view.totalCents || news.currency !== record.view.currency) {
    return { record: sendBack({ ...record, view }, paid, "amount_mismatch", nowMs), outcome: "applied", alert: "amount_mismatch" };
  }
  const payment = view.payment ?? { provider: news.provider, paymentId: news.paymentId, status: "SUCCEEDED", action: { type: "none" } };
  return { record: change(record, { view: { ...view, payment }, step: { kind: "confirm", paid } }), outcome: "applied", alert: null };
}

/** True when this payment is the one the order was, or is being, settled with, or was already sent back. */
function wasSettledWith(record: OrderRecord, paymentId: string): boolean {
  if (record.refunds.some((refund) => refund.paymentId === paymentId)) return true;
  if ((record.step.kind === "confirm" || record.step.kind === "give_back") && record.step.paid?.paymentId === paymentId) return true;
  return record.view.payment?.paymentId === paymentId && record.view.payment.status === "SUCCEEDED" && !isPayable(record);
}

function decideFailed(record: OrderRecord, news: PaymentNews): NewsDecision {
  if (!isPayable(record)) return { record, outcome: "ignored", alert: null };
  const status = news.type === "payment.failed" ? "FAILED" : "CANCELED";
  const view = withPaymentStatus(raise(record.view, "PAYMENT_FAILED"), news.paymentId, status);
  return { record: change(record, { view }), outcome: "applied", alert: null };
}

function decideRefundNews(record: OrderRecord, news: PaymentNews, status: RefundStatus): NewsDecision {
  const known = record.refunds.some((refund) => refund.paymentId === news.paymentId && refund.status !== status);
  if (!known) return { record, outcome: "ignored", alert: null };
  const refunds = record.refunds.map((refund) => (refund.paymentId === news.paymentId ? { ...refund, status } : refund));
  const view = status === "succeeded" ? withPaymentStatus(record.view, news.paymentId, "REFUNDED") : record.view;
  return { record: change(record, { view, refunds }), outcome: "applied", alert: null };
}

/** Asks for the whole payment back. The refund's id derives from order and payment, so there is one however often this runs. */
function sendBack(record: OrderRecord, paid: PaidBy, reason: RefundReason, nowMs: number): OrderRecord {
  const id = deriveIdWithin(record.view.id, ["refund", paid.provider, paid.paymentId]);
  if (record.refunds.some((refund) => refund.id === id)) return record;
  const refund: Refund = { ...paid, id, providerRefundId: null, status: "created", reason, createdAtMs: nowMs };
  return change(record, { refunds: [...record.refunds, refund] });
}

/** Every hold became a sale: the order is paid and its tickets exist. */
export function settleConfirmed(record: OrderRecord, nowMs: number): OrderRecord {
  const paid = { ...raise(record.view, "PAID"), paidAtMs: nowMs };
  return change(record, { view: raise(paid, "AWAITING_MINT"), step: { kind: "none" } });
}

/**
 * Some hold could not become a sale: its time had run out and the stock is gone.
 * @param confirmedLines numbers of the lines that had become sales and go back on sale.
 */
export function settleSoldOut(record: OrderRecord, confirmedLines: readonly number[], nowMs: number): OrderRecord {
  const paid = record.step.kind === "confirm" ? record.step.paid : null;
  const expired = { ...record, view: raise(record.view, "EXPIRED") };
  if (confirmedLines.length > 0) return change(expired, { step: { kind: "give_back", paid, lineNumbers: confirmedLines } });
  return settleGivenBack({ ...expired, step: { kind: "give_back", paid, lineNumbers: [] } }, nowMs);
}

/** What was confirmed is back on sale; the money goes back too. */
export function settleGivenBack(record: OrderRecord, nowMs: number): OrderRecord {
  const paid = record.step.kind === "give_back" ? record.step.paid : null;
  const done = change(record, { step: { kind: "none" } });
  return paid ? sendBack(done, paid, "sold_out_after_expiry", nowMs) : done;
}

/** The holds of a cancelled order are free. */
export function settleReleased(record: OrderRecord): OrderRecord {
  return record.step.kind === "release" ? change(record, { step: { kind: "none" } }) : record;
}

/** The provider took, or finished, or refused a refund. */
export function settleRefund(record: OrderRecord, refundId: string, status: RefundStatus, providerRefundId: string): OrderRecord {
  const refunds = record.refunds.map((refund) =>
    refund.id === refundId && refund.status === "created" ? { ...refund, status, providerRefundId } : refund,
  );
  const refund = refunds.find((candidate) => candidate.id === refundId);
  const view = refund && status === "succeeded" ? withPaymentStatus(record.view, refund.paymentId, "REFUNDED") : record.view;
  return change(record, { refunds, view });
}

/** The tickets of a paid order, one per seat; none before it is paid. Their ids derive from the order's, so they are issued once. */
export function ticketsOf(record: OrderRecord): readonly IssuedTicket[] {
  const { view } = record;
  const { paidAtMs } = view;
  if (paidAtMs === null) return [];
  return view.lines.flatMap((line) =>
    Array.from({ length: line.quantity }, (_, position) => ({
      id: deriveIdWithin(view.id, ["ticket", String(line.lineNumber), String(position)]),
      tenantId: view.tenantId,
      eventId: view.eventId,
      ticketTypeId: line.ticketTypeId,
      orderId: view.id,
      ownerUserId: view.userId,
      status: "SOLD" as const,
      credentialEpoch: 0,
      walletAddress: view.walletAddress,
      createdAtMs: paidAtMs,
    })),
  );
}

/** The hold under an order, as a buyer reads it. */
export function holdOf(record: OrderRecord, nowMs: number): HoldView {
  const view = viewAt(record, nowMs);
  return {
    id: view.reservationId,
    tenantId: view.tenantId,
    userId: view.userId,
    eventId: view.eventId,
    status: HOLD_STATUS_OF_ORDER[view.status],
    expiresAtMs: view.holdExpiresAtMs,
    lines: view.lines.map(({ ticketTypeId, quantity }) => ({ ticketTypeId, quantity })),
  };
}

const HOLD_STATUS_OF_ORDER: Readonly<Record<OrderStatus, ReservationStatus>> = {
  PENDING: "ACTIVE",
  PAYMENT_FAILED: "ACTIVE",
  EXPIRED: "EXPIRED",
  CANCELLED: "CANCELLED",
  PAID: "COMPLETED",
  AWAITING_MINT: "COMPLETED",
  MINT_FAILED: "COMPLETED",
  COMPLETED: "COMPLETED",
  REFUNDED: "COMPLETED",
};

/** Longest wait between two attempts at a step. */
const LONGEST_RETRY_MS = 60_000;

/** When the desk must look at the order again, Unix milliseconds; null when nothing is left to do. */
export function dueAtMs(record: OrderRecord, nowMs: number): number | null {
  const retryMs = nowMs + Math.min(LONGEST_RETRY_MS, 1_000 * 2 ** record.attempts);
  if (record.step.kind !== "none") return retryMs;
  if (record.refunds.some((refund) => refund.status === "created")) return record.attempts === 0 ? nowMs : retryMs;
  if (record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED") return record.view.holdExpiresAtMs;
  return null;
}
