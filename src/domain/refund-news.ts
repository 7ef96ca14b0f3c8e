import { deriveIdWithin } from "./ids.ts";
import { apply, ignore, type NewsDecision, type PaymentAlert } from "./news-decision.ts";
import type { OrderRecord } from "./order.ts";
import type { PaymentNews } from "./order-messages.ts";
import type { Refund } from "./order-money.ts";
import { bookedCentsOf, changeMoney, isSamePayment, paidCentsOf } from "./order-payments.ts";
import { livingTicketIdsOf } from "./order-tickets.ts";
import { nameLoss, unnamedLossCentsOf } from "./partial-loss.ts";
import { stepOfRecall } from "./recall.ts";
import { fitIntoRest, REFUND_RANK, replaceRefund } from "./refund.ts";

type Outcome = "succeeded" | "failed";

/**
 * Decides about news of a refund. What its provider says last of a refund holds, in whatever order it is heard: one of ours moves
 * on; another was made at the provider, past us, and is booked as it is told, also that it failed, because the older news that it
 * was done may come after. When the last of the payment has gone back so, the order's tickets die.
 */
export function decideRefundNews(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const status = news.type === "refund.succeeded" ? "succeeded" : "failed";
  const known = findRefund(record, news, status);
  if (known) {
    if (isOlder(news, known, status)) return ignore(record);
    if (known.status === status) return ignore(noteTime(record, known, news));
  } else {
    if (isPerhapsToldBefore(record, news)) return ignore(record, status === "succeeded" ? "refund_unknown" : "refund_failed");
    const isOfNone = status === "failed" && news.refundId === null;
    if (isOfNone || news.amountCents <= 0) return ignore(record);
  }
  const told = known ? moveRefund(known, news, status) : makeOutsideRefund(record, news, status, nowMs);
  const refunds = known ? replaceRefund(record.refunds, told) : [...record.refunds, told];
  const changed = changeMoney(record, { refunds: fitIntoRest({ ...record, refunds }, told) });
  const last = findLastOutside(changed, news);
  const alert = status === "failed" ? (known ? "refund_failed" : null) : alertOf(changed, told, last);
  if (!last) return apply(changed, alert);
  const ticketIds = livingTicketIdsOf(changed);
  const step = stepOfRecall({ id: last.id, ticketIds, restock: true, cause: "provider_refund", actor: "desk" });
  return apply({ ...changed, refunds: nameLoss(changed, ticketIds), step }, alert);
}

/**
 * The refund that the event is about: by its id; else, because a provider's answer with the id may have been lost and some
 * give none, the payment's oldest one over that amount that is open, or else one that is thought to have failed.
 */
function findRefund(record: OrderRecord, news: PaymentNews, status: Outcome): Refund | undefined {
  const { refundId, amountCents } = news;
  const refunds = record.refunds.filter((refund) => isSamePayment(refund, news));
  const named = refunds.find((refund) => refundId !== null && [refund.id, refund.providerRefundId].includes(refundId));
  if (named) return named;
  const alike = refunds
    .filter((refund) => refund.amountCents === amountCents && REFUND_RANK[status] > REFUND_RANK[refund.status])
    .filter((refund) => refundId === null || refund.providerRefundId === null);
  return alike.find((refund) => refund.status !== "failed") ?? alike[0];
}

/**
 * A refund that was done may fail weeks later, when the buyer's bank sends it back. So of two events that name it the one counts
 * that happened last, and of two at once the failure: who believes it calls a person, who does not leaves a buyer without money.
 */
function isOlder(news: PaymentNews, { toldAtMs }: Refund, status: Outcome): boolean {
  if (news.refundId === null || toldAtMs === undefined) return false;
  return status === "failed" ? news.occurredAtMs < toldAtMs : news.occurredAtMs <= toldAtMs;
}

/** What was known already holds since a later time: older news of the contrary may still come. Nobody else need hear of that. */
function noteTime(record: OrderRecord, known: Refund, news: PaymentNews): OrderRecord {
  return { ...record, refunds: replaceRefund(record.refunds, { ...known, toldAtMs: news.occurredAtMs }) };
}

function moveRefund(known: Refund, { refundId, occurredAtMs, actor }: PaymentNews, status: Outcome): Refund {
  const theirId = refundId === known.id ? null : refundId;
  const moved = { ...known, status, providerRefundId: known.providerRefundId ?? theirId, toldAtMs: occurredAtMs };
  return actor === undefined ? moved : { ...moved, settledBy: actor };
}

function makeOutsideRefund({ view }: OrderRecord, news: PaymentNews, status: Outcome, nowMs: number): Refund {
  const { provider, paymentId, refundId, eventId, amountCents, currency } = news;
  const id = deriveIdWithin(view.id, ["refund", "provider", provider, paymentId, refundId ?? eventId]);
  const what = { id, provider, paymentId, providerRefundId: refundId, status, amountCents, currency } as const;
  return { ...what, reason: "provider", ticketIds: [], note: null, createdAtMs: nowMs, toldAtMs: news.occurredAtMs };
}

/**
 * The refund made past us, by a bank too, with which the last of the order's payment went back; undefined while something is left, or while the
 * refunds are more than came: then one of them has failed, and a ticket must not die of money that is there.
 */
function findLastOutside(record: OrderRecord, news: PaymentNews): Refund | undefined {
  const { paidBy } = record;
  if (!paidBy || !isSamePayment(paidBy, news)) return undefined;
  const isLossUnnamed = unnamedLossCentsOf(record) > 0;
  const outside = record.refunds.filter(
    (refund) =>
      isSamePayment(refund, news) &&
      refund.status === "succeeded" &&
      (refund.reason === "provider" || (refund.reason === "dispute_lost" && isLossUnnamed)),
  );
  const isAllBooked = bookedCentsOf(record, news) === paidBy.amountCents;
  return isAllBooked ? outside.at(-1) : outside.find(({ amountCents }) => amountCents >= paidBy.amountCents);
}

function alertOf(record: OrderRecord, told: Refund, last: Refund | undefined): PaymentAlert | null {
  if (bookedCentsOf(record, told) > (paidCentsOf(record, told) ?? 0)) return "refund_unknown";
  return told.reason === "provider" && !last ? "refund_outside" : null;
}

/** Without an id, another event over an amount that went back may be about the same money: nothing is decided by it then. */
function isPerhapsToldBefore({ refunds }: OrderRecord, news: PaymentNews): boolean {
  if (news.refundId !== null) return false;
  return refunds.some(
    (refund) => isSamePayment(refund, news) && refund.amountCents === news.amountCents && refund.status === "succeeded",
  );
}
