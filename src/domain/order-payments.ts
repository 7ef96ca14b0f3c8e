import { change, type OrderRecord } from "./order.ts";
import type { PaymentNews } from "./order-messages.ts";
import { PAID_ELSEWHERE, type PaymentKey, type Refund } from "./order-money.ts";
import type { PaymentStatus } from "./statuses.ts";

/** True when both name the same payment of the same provider. */
export function isSamePayment(one: PaymentKey | null | undefined, other: PaymentKey): boolean {
  return one?.provider === other.provider && one.paymentId === other.paymentId;
}

/**
 * True when the event cannot be about this order, whatever order it names: it says another tenant, or it has the id of the order's
 * payment from another provider. An organiser who was paid elsewhere may name the payment as they like.
 */
export function isForeign({ view }: OrderRecord, news: PaymentNews): boolean {
  if (news.tenantId !== undefined && news.tenantId !== view.tenantId) return true;
  const { payment } = view;
  if (payment?.paymentId !== news.paymentId || payment.provider === news.provider) return false;
  return payment.provider !== PAID_ELSEWHERE && news.provider !== PAID_ELSEWHERE;
}

/**
 * What a payment has brought, in minor units: it bought the order, is buying it, or is one that goes back whole; undefined
 * while no money of it has come.
 */
export function paidCentsOf({ step, paidBy, refunds }: OrderRecord, key: PaymentKey): number | undefined {
  if (paidBy && isSamePayment(paidBy, key)) return paidBy.amountCents;
  const paying = step.kind === "confirm" || step.kind === "give_back" ? step.paid : null;
  if (paying && isSamePayment(paying, key)) return paying.amountCents;
  // Of a payment that bought nothing the first refund is the one over all of it.
  return refunds.find((refund) => isSamePayment(refund, key))?.amountCents;
}

/**
 * The sum of a payment's refunds that have not failed, in minor units. It is more than came while one of them has failed and its
 * news is late, and when a provider or a bank gave back too much.
 */
export function bookedCentsOf({ refunds }: Pick<OrderRecord, "refunds">, key: PaymentKey): number {
  return sumOf(refunds.filter((refund) => isSamePayment(refund, key) && refund.status !== "failed"));
}

/** What of a payment has gone back or goes back, in minor units: never more than came. */
export function goneCentsOf(record: OrderRecord, key: PaymentKey): number {
  return Math.min(paidCentsOf(record, key) ?? 0, bookedCentsOf(record, key));
}

/** What is left of a payment and could still be given back, in minor units: 0 when there is nothing. */
export function leftCentsOf(record: OrderRecord, key: PaymentKey): number {
  return (paidCentsOf(record, key) ?? 0) - goneCentsOf(record, key);
}

/** True while a dispute of the payment is open: its provider gives nothing back then. */
export function isInDispute({ disputes = [] }: OrderRecord, key: PaymentKey): boolean {
  return disputes.some((dispute) => isSamePayment(dispute, key) && dispute.status === "opened");
}

/** The refund to ask for next, if any. They take turns, so that one which is refused again and again does not hold up another. */
export function nextRefundOf(record: OrderRecord): Refund | undefined {
  const open = record.refunds.filter((refund) => refund.status === "created" && !isInDispute(record, refund));
  return open[record.attempts % open.length];
}

/** Changes what the order knows of its money, and what it shows of it: how much went back, and how its payment stands. */
export function changeMoney(
  record: OrderRecord,
  to: Partial<Pick<OrderRecord, "view" | "step" | "paidBy" | "refunds" | "disputes">>,
): OrderRecord {
  const changed = { ...change(record, {}), ...to };
  const { paidBy, view } = changed;
  const payment = view.payment && { ...view.payment, status: shownStatusOf(changed, view.payment) ?? view.payment.status };
  const refundedCents = paidBy ? goneCentsOf(changed, paidBy) : 0;
  return { ...changed, view: { ...view, payment, refundedCents } };
}

/** How a payment stands; undefined while no money of it has come. */
function shownStatusOf(record: OrderRecord, key: PaymentKey): PaymentStatus | undefined {
  const { refunds, disputes = [] } = record;
  const paidCents = paidCentsOf(record, key);
  if (paidCents === undefined) return undefined;
  if (disputes.some((dispute) => isSamePayment(dispute, key) && dispute.status !== "won")) return "DISPUTED";
  const backCents = sumOf(refunds.filter((refund) => isSamePayment(refund, key) && refund.status === "succeeded"));
  return backCents >= paidCents ? "REFUNDED" : "SUCCEEDED";
}

function sumOf(refunds: readonly Refund[]): number {
  return refunds.reduce((sum, refund) => sum + refund.amountCents, 0);
}
