import { deriveIdWithin } from "./ids.ts";
import { apply, ignore, type NewsDecision } from "./news-decision.ts";
import type { OrderRecord, OrderStep } from "./order.ts";
import type { PaymentNews } from "./order-messages.ts";
import type { Dispute, Refund } from "./order-money.ts";
import { changeMoney, isInDispute, isSamePayment, leftCentsOf } from "./order-payments.ts";
import { livingTicketIdsOf, stepOfRecall } from "./recall.ts";
import { refundableSharesOf } from "./refund.ts";

/** A dispute moves only to a higher rank: one that is lost is not won any more, whatever comes late. */
const DISPUTE_RANK: Readonly<Record<Dispute["status"], number>> = { opened: 0, won: 1, lost: 2 };

/**
 * Decides about news of a dispute. While one is open its tickets are refused at the gate; won, they are admitted again; lost,
 * the money is gone without our asking, and the tickets die.
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
      return apply(lose(disputed, dispute, nowMs), "dispute_lost");
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
  const admitted = isInDispute(record, news) ? record : withGate(record, news, "unblock");
  return apply(admitted, (record.recalled ?? []).length > 0 ? "dispute_won_but_recalled" : null);
}

/** The tickets that the payment bought are blocked or not any more; a payment that bought none concerns none. */
function withGate(record: OrderRecord, news: PaymentNews, kind: "block" | "unblock"): OrderRecord {
  const ticketIds = isSamePayment(record.paidBy, news) ? livingTicketIdsOf(record) : [];
  return ticketIds.length === 0 ? record : { ...record, step: { kind, ticketIds } };
}

/** What was left of the payment is gone, and with it what was to be asked for: the bank has paid it. */
function lose(record: OrderRecord, dispute: Dispute, nowMs: number): OrderRecord {
  const { provider, paymentId } = dispute;
  const { currency, id: orderId } = record.view;
  const asked = record.refunds.map((refund): Refund => {
    return isSamePayment(refund, dispute) && refund.status === "created" ? { ...refund, status: "succeeded" } : refund;
  });
  const id = deriveIdWithin(orderId, ["refund", "dispute", provider, paymentId, dispute.id]);
  const amountCents = leftCentsOf(record, dispute);
  const hasBought = isSamePayment(record.paidBy, dispute);
  const ticketIds = hasBought ? refundableSharesOf(record).map((share) => share.ticketId) : [];
  const what = { id, provider, paymentId, providerRefundId: null, status: "succeeded", reason: "dispute_lost" } as const;
  const lost: Refund = { ...what, amountCents, currency, ticketIds, note: null, createdAtMs: nowMs };
  const refunds = amountCents > 0 ? [...asked, lost] : asked;
  return changeMoney(record, { refunds, step: hasBought ? recallStep(record, id) : record.step });
}

function recallStep(record: OrderRecord, id: string): OrderStep {
  const ticketIds = livingTicketIdsOf(record);
  return stepOfRecall({ id, ticketIds, restock: true, cause: "dispute_lost", actor: "desk" });
}
