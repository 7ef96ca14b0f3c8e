import type { OrderRecord, OrderStep } from "./order.ts";
import type { Refund } from "./order-money.ts";
import { isInDispute, isSamePayment } from "./order-payments.ts";
import { livingTicketIdsOf } from "./order-tickets.ts";
import { ticketSharesOf } from "./ticket-shares.ts";

/**
 * True when a lost dispute took only a part of the payment: the rest of it pays for one of the tickets at least. Banks' amounts differ
 * from ours with exchange rates, so what is nearer to the whole than that counts as the whole.
 */
export function isPartOf({ view }: OrderRecord, lost: { readonly amountCents: number; readonly paidCents: number }): boolean {
  const prices = ticketSharesOf(view).flatMap(({ amountCents }) => (amountCents > 0 ? [amountCents] : []));
  return lost.amountCents > 0 && lost.paidCents - lost.amountCents >= Math.min(...prices);
}

/** What banks took of the order's payment and nobody has said for which tickets, in minor units. */
export function unnamedLossCentsOf(record: OrderRecord): number {
  const losses = lossesOf(record);
  if (losses.length === 0) return 0;
  const named = new Set(losses.flatMap(({ ticketIds }) => ticketIds));
  const lostCents = losses.reduce((sum, { amountCents }) => sum + amountCents, 0);
  const shares = ticketSharesOf(record.view).filter(({ ticketId }) => named.has(ticketId));
  return Math.max(
    0,
    shares.reduce((rest, { amountCents }) => rest - amountCents, lostCents),
  );
}

/** The refunds with the tickets named that a lost dispute was for. */
export function nameLoss(record: OrderRecord, ticketIds: readonly string[]): readonly Refund[] {
  const [first] = lossesOf(record);
  return record.refunds.map((refund) =>
    refund === first ? { ...refund, ticketIds: [...new Set([...refund.ticketIds, ...ticketIds])] } : refund,
  );
}

/** True while the order's tickets are to be refused at the gate: a dispute is open, or nobody has said which ones one was for. */
export function isKeptOut(record: OrderRecord): boolean {
  return (record.paidBy !== null && isInDispute(record, record.paidBy)) || unnamedLossCentsOf(record) > 0;
}

/** What follows when tickets are dead: those that a lost dispute kept out for their sake are let in again. */
export function stepAfterRecall(record: OrderRecord): OrderStep {
  const ticketIds = livingTicketIdsOf(record);
  if (lossesOf(record).length === 0 || ticketIds.length === 0 || isKeptOut(record)) return { kind: "none" };
  return { kind: "unblock", ticketIds };
}

function lossesOf({ paidBy, refunds }: OrderRecord): readonly Refund[] {
  return refunds.filter((refund) => refund.reason === "dispute_lost" && isSamePayment(paidBy, refund));
}
