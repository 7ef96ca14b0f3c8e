import { deriveIdWithin } from "./ids.ts";
import { apply, ignore, type NewsDecision } from "./news-decision.ts";
import type { OrderRecord } from "./order.ts";
import type { PaymentNews } from "./order-messages.ts";
import type { Refund } from "./order-money.ts";
import { changeMoney, goneCentsOf, isSamePayment, leftCentsOf, paidCentsOf } from "./order-payments.ts";
import { livingTicketIdsOf, stepOfRecall } from "./recall.ts";
import { REFUND_RANK, replaceRefund } from "./refund.ts";

/**
 * Decides about news of a refund. One of ours moves on; another was made at the provider, past us: its money is gone all the
 * same, and when that was the last of the payment, the order's tickets die.
 */
export function decideRefundNews(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const status = news.type === "refund.succeeded" ? "succeeded" : "failed";
  const known = findRefund(record, news, status);
  if (known) return moveRefund(record, news, known, status);
  return status === "succeeded" ? addOutsideRefund(record, news, nowMs) : ignore(record);
}

/**
 * The refund that the event is about: by its id; else, because a provider's answer with the id may have been lost and some
 * give none, the payment's oldest one over that amount that is open, or else one that is thought to have failed.
 */
function findRefund(record: OrderRecord, news: PaymentNews, status: "succeeded" | "failed"): Refund | undefined {
  const { refundId, amountCents } = news;
  const refunds = record.refunds.filter((refund) => isSamePayment(refund, news));
  const named = refunds.find((refund) => refundId !== null && [refund.id, refund.providerRefundId].includes(refundId));
  if (named) return named;
  const alike = refunds
    .filter((refund) => refund.amountCents === amountCents && REFUND_RANK[status] > REFUND_RANK[refund.status])
    .filter((refund) => refundId === null || refund.providerRefundId === null);
  return alike.find((refund) => refund.status !== "failed") ?? alike[0];
}

function moveRefund(record: OrderRecord, news: PaymentNews, known: Refund, status: "succeeded" | "failed"): NewsDecision {
  if (REFUND_RANK[status] <= REFUND_RANK[known.status]) return ignore(record);
  const moved = { ...known, status, providerRefundId: known.providerRefundId ?? news.refundId };
  const changed = changeMoney(record, { refunds: replaceRefund(record.refunds, moved) });
  if (status === "failed") return apply(changed, "refund_failed");
  // It was thought to have failed, and was made a second time since.
  const isTooMuch = goneCentsOf(changed, known) > (paidCentsOf(changed, known) ?? 0);
  return apply(changed, isTooMuch ? "refund_unknown" : null);
}

function addOutsideRefund(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const { provider, paymentId, refundId, eventId, currency } = news;
  const leftCents = leftCentsOf(record, news);
  if (isPerhapsToldBefore(record, news)) return ignore(record, "refund_unknown");
  const covered = coverRefunds(record.refunds, news, news.amountCents - leftCents);
  const amountCents = Math.min(news.amountCents, leftCents);
  if (amountCents <= 0 && covered === record.refunds) return ignore(record, "refund_unknown");
  const id = deriveIdWithin(record.view.id, ["refund", "provider", provider, paymentId, refundId ?? eventId]);
  const what = { provider, paymentId, providerRefundId: refundId, status: "succeeded", reason: "provider" } as const;
  const outside: Refund = { ...what, id, amountCents, currency, ticketIds: [], note: null, createdAtMs: nowMs };
  const refunds = amountCents > 0 ? [...covered, outside] : covered;
  const changed = changeMoney(record, { refunds });
  if (!isSamePayment(record.paidBy, news) || leftCentsOf(changed, news) > 0) return apply(changed, "refund_outside");
  const ticketIds = livingTicketIdsOf(record);
  const step = stepOfRecall({ id, ticketIds, restock: true, cause: "provider_refund", actor: "desk" });
  return apply(changeMoney(record, { refunds, step }));
}

/**
 * Money beyond what we thought was left can only be that of refunds which the provider has not taken and now never can: they
 * are paid by it.
 */
function coverRefunds(refunds: readonly Refund[], news: PaymentNews, excessCents: number): readonly Refund[] {
  let leftCents = excessCents;
  const covered = refunds.map((refund): Refund => {
    const isOpen = isSamePayment(refund, news) && refund.status === "created" && refund.amountCents <= leftCents;
    if (!isOpen) return refund;
    leftCents -= refund.amountCents;
    return { ...refund, status: "succeeded", providerRefundId: news.refundId };
  });
  return leftCents === excessCents ? refunds : covered;
}

/** Without an id, a second event over an amount that went back may be about the same money: then no ticket must die of it. */
function isPerhapsToldBefore({ refunds }: OrderRecord, news: PaymentNews): boolean {
  if (news.refundId !== null) return false;
  return refunds.some(
    (refund) => isSamePayment(refund, news) && refund.amountCents === news.amountCents && refund.status === "succeeded",
  );
}
