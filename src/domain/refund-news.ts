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
  if (status === "succeeded") return addOutsideRefund(record, news, nowMs);
  return ignore(record, isPerhapsToldBefore(record, news) ? "refund_failed" : null);
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

/**
 * True for money given back at the provider that cannot have been there while a refund of ours is still under way: that one has
 * failed, its news is late, and only then is it clear what is left.
 */
export function isAheadOfOurs(record: OrderRecord, news: PaymentNews): boolean {
  if (news.type !== "refund.succeeded" || news.amountCents <= leftCentsOf(record, news)) return false;
  if (findRefund(record, news, "succeeded") || isPerhapsToldBefore(record, news)) return false;
  return record.refunds.some((refund) => isSamePayment(refund, news) && refund.status === "submitted");
}

function moveRefund(record: OrderRecord, news: PaymentNews, known: Refund, status: "succeeded" | "failed"): NewsDecision {
  if (status === known.status || isOlder(news, known, status)) return ignore(record);
  const theirId = news.refundId === known.id ? null : news.refundId;
  const moved = { ...known, status, providerRefundId: known.providerRefundId ?? theirId, toldAtMs: news.occurredAtMs };
  const changed = changeMoney(record, { refunds: replaceRefund(record.refunds, moved) });
  if (status === "failed") return apply(changed, "refund_failed");
  // It was thought to have failed, and was made a second time since.
  const isTooMuch = goneCentsOf(changed, known) > (paidCentsOf(changed, known) ?? 0);
  return apply(changed, isTooMuch ? "refund_unknown" : null);
}

/**
 * A refund that was done may fail weeks later, when the buyer's bank sends it back. So of two events that name it the one counts
 * that happened last, and of two at once the failure: who believes it calls a person, who does not leaves a buyer without money.
 */
function isOlder(news: PaymentNews, { toldAtMs }: Refund, status: "succeeded" | "failed"): boolean {
  if (news.refundId === null || toldAtMs === undefined) return false;
  return status === "failed" ? news.occurredAtMs < toldAtMs : news.occurredAtMs <= toldAtMs;
}

function addOutsideRefund(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  if (isPerhapsToldBefore(record, news)) return ignore(record, "refund_unknown");
  const { provider, paymentId, refundId, eventId, currency } = news;
  const { refunds: settled, restCents } = settleUntaken(record, news);
  const amountCents = Math.min(restCents, leftCentsOf({ ...record, refunds: settled }, news));
  if (amountCents <= 0 && settled === record.refunds) return ignore(record, "refund_unknown");
  const id = deriveIdWithin(record.view.id, ["refund", "provider", provider, paymentId, refundId ?? eventId]);
  const what = { provider, paymentId, providerRefundId: refundId, status: "succeeded", reason: "provider" } as const;
  const told = { createdAtMs: nowMs, toldAtMs: news.occurredAtMs };
  const outside: Refund = { ...what, id, amountCents, currency, ticketIds: [], note: null, ...told };
  const refunds = amountCents > 0 ? [...settled, outside] : settled;
  const changed = changeMoney(record, { refunds });
  if (!isSamePayment(record.paidBy, news) || leftCentsOf(changed, news) > 0) return apply(changed, "refund_outside");
  const ticketIds = livingTicketIdsOf(record);
  const step = stepOfRecall({ id, ticketIds, restock: true, cause: "provider_refund", actor: "desk" });
  return apply(changeMoney(record, { refunds, step }));
}

/**
 * When more went back than we thought was left, refunds that are only `created` were not taken by the provider, and never can be:
 * that money is not there any more. Those that fit into the excess are paid by it. One that does not is asked for anew over what
 * is missing, under an id of its own: a provider may remember the old one with its amount.
 * @returns what is left of the event's amount for a refund of its own.
 */
function settleUntaken(
  record: OrderRecord,
  news: PaymentNews,
): { readonly refunds: readonly Refund[]; readonly restCents: number } {
  let excessCents = news.amountCents - leftCentsOf(record, news);
  let coveredCents = 0;
  const refunds = record.refunds.flatMap((refund): readonly Refund[] => {
    const { amountCents, id } = refund;
    if (excessCents <= 0 || !isSamePayment(refund, news) || refund.status !== "created") return [refund];
    const takenCents = Math.min(excessCents, amountCents);
    excessCents -= takenCents;
    if (takenCents < amountCents) {
      const anew = deriveIdWithin(id, ["refund", "rest", news.refundId ?? news.eventId]);
      return [
        { ...refund, status: "failed" },
        { ...refund, id: anew, amountCents: amountCents - takenCents },
      ];
    }
    coveredCents += takenCents;
    return [{ ...refund, status: "succeeded", providerRefundId: news.refundId }];
  });
  const isChanged = refunds.some((refund, at) => refund !== record.refunds[at]);
  return { refunds: isChanged ? refunds : record.refunds, restCents: news.amountCents - coveredCents };
}

/** Without an id, another event over an amount that went back may be about the same money: nothing is decided by it then. */
function isPerhapsToldBefore({ refunds }: OrderRecord, news: PaymentNews): boolean {
  if (news.refundId !== null) return false;
  return refunds.some(
    (refund) => isSamePayment(refund, news) && refund.amountCents === news.amountCents && refund.status === "succeeded",
  );
}
