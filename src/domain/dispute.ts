import { deriveIdWithin } from "./ids.ts";
import { apply, ignore, type NewsDecision } from "./news-decision.ts";
import type { OrderRecord, OrderStep } from "./order.ts";
import type { PaymentNews } from "./order-messages.ts";
import type { Dispute, Refund } from "./order-money.ts";
import { bookedCentsOf, changeMoney, isSamePayment, leftCentsOf, paidCentsOf } from "./order-payments.ts";
import { isKeptOut, isPartOf, nameLoss } from "./partial-loss.ts";
import { livingTicketIdsOf } from "./order-tickets.ts";
import { stepOfRecall } from "./recall.ts";
import { fitIntoRest, refundableSharesOf } from "./refund.ts";

/** A dispute moves only to a higher rank: one that is lost is not won any more, whatever comes late. */
const DISPUTE_RANK: Readonly<Record<Dispute["status"], number>> = { opened: 0, won: 1, lost: 2 };

/**
 * Decides about news of a dispute. While one is open its tickets are refused at the gate; won, they are admitted again; lost,
 * the money is gone without our asking, and the tickets die. When only a part of it is gone, nobody says of which tickets: all are
 * refused until the organiser has named them.
 */
export function decideDispute(record: OrderRecord, news: PaymentNews, nowMs: number): NewsDecision {
  const { provider, paymentId } = news;
  const known = record.disputes?.find((dispute) => isSamePayment(dispute, news) && dispute.id === idOf(news));
  const dispute: Dispute = { id: idOf(news), provider, paymentId, status: statusOf(news) };
  if (known && DISPUTE_RANK[dispute.status] <= DISPUTE_RANK[known.status]) {
    return ignore(record, known.status === "lost" && dispute.status === "won" ? "dispute_won_after_loss" : null);
  }
  const others = (record.disputes ?? []).filter((other) => other !== known);
  const disputed = changeMoney(record, { disputes: [...others, dispute] });
  switch (dispute.status) {
    case "opened":
      return apply(withGate(disputed, news, "block"), "dispute");
    case "won":
      return known ? win(disputed, news) : apply(disputed);
    case "lost":
      return lose(disputed, dispute, news, nowMs);
  }
}

/** A provider that gives no id has one dispute a payment. */
function idOf({ disputeId, paymentId }: PaymentNews): string {
  return disputeId ?? paymentId;
}

function statusOf({ type }: PaymentNews): Dispute["status"] {
  if (type === "dispute.won") return "won";
  return type === "dispute.lost" ? "lost" : "opened";
}

function win(record: OrderRecord, news: PaymentNews): NewsDecision {
  const admitted = isKeptOut(record) ? record : withGate(record, news, "unblock");
  return apply(admitted, (record.recalled ?? []).length > 0 ? "dispute_won_but_recalled" : null);
}

/** The tickets that the payment bought are blocked or not any more; a payment that bought none concerns none. */
function withGate(record: OrderRecord, news: PaymentNews, kind: "block" | "unblock"): OrderRecord {
  const ticketIds = isSamePayment(record.paidBy, news) ? livingTicketIdsOf(record) : [];
  return ticketIds.length === 0 ? record : { ...record, step: { kind, ticketIds } };
}

function lose(record: OrderRecord, dispute: Dispute, news: PaymentNews, nowMs: number): NewsDecision {
  const paidCents = paidCentsOf(record, dispute) ?? 0;
  const isPart = news.currency === record.view.currency && isPartOf(record, { amountCents: news.amountCents, paidCents });
  if (!isPart) return apply(loseAll(record, dispute, nowMs), "dispute_lost");
  const loss = makeLoss(record, dispute, { amountCents: news.amountCents, ticketIds: [] }, nowMs);
  const refunds = fitIntoRest({ ...record, refunds: [...record.refunds, loss] }, loss);
  const changed = changeMoney(record, { refunds });
  if (!isSamePayment(record.paidBy, dispute)) return apply(changed, "dispute_lost");
  const done = { refunds: refunds.filter(({ status }) => status !== "created") };
  if (bookedCentsOf(done, dispute) !== paidCents) return apply(withGate(changed, news, "block"), "dispute_lost_in_part");
  const step = recallStep(changed, loss.id);
  return apply({ ...changed, refunds: nameLoss(changed, livingTicketIdsOf(changed)), step }, "dispute_lost");
}

/** What was left of the payment is gone, and with it what was to be asked for: the bank has paid it. */
function loseAll(record: OrderRecord, dispute: Dispute, nowMs: number): OrderRecord {
  const asked = record.refunds.map((refund): Refund => {
    return isSamePayment(refund, dispute) && refund.status === "created" ? { ...refund, status: "succeeded" } : refund;
  });
  const amountCents = leftCentsOf(record, dispute);
  const hasBought = isSamePayment(record.paidBy, dispute);
  const ticketIds = hasBought ? refundableSharesOf(record).map((share) => share.ticketId) : [];
  const loss = makeLoss(record, dispute, { amountCents, ticketIds }, nowMs);
  const refunds = amountCents > 0 ? [...asked, loss] : asked;
  return changeMoney(record, { refunds, step: hasBought ? recallStep(record, loss.id) : record.step });
}

function makeLoss(
  { view }: OrderRecord,
  { id: disputeId, provider, paymentId }: Dispute,
  what: Pick<Refund, "amountCents" | "ticketIds">,
  nowMs: number,
): Refund {
  const id = deriveIdWithin(view.id, ["refund", "dispute", provider, paymentId, disputeId]);
  const known = { id, provider, paymentId, providerRefundId: null, status: "succeeded", reason: "dispute_lost" } as const;
  return { ...known, ...what, currency: view.currency, note: null, createdAtMs: nowMs };
}

function recallStep(record: OrderRecord, id: string): OrderStep {
  const ticketIds = livingTicketIdsOf(record);
  return stepOfRecall({ id, ticketIds, restock: true, cause: "dispute_lost", actor: "desk" });
}
