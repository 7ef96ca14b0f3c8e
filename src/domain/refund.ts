import type { Failure } from "./failure.ts";
import { deriveIdWithin } from "./ids.ts";
import type { OrderRecord } from "./order.ts";
import type { RefundCommand } from "./order-messages.ts";
import { PAID_ELSEWHERE, type PaidBy, type Refund, type RefundReason } from "./order-money.ts";
import { bookedCentsOf, changeMoney, isInDispute, isSamePayment, leftCentsOf, paidCentsOf } from "./order-payments.ts";
import { nameLoss, stepAfterRecall, unnamedLossCentsOf } from "./partial-loss.ts";
import { stepOfRecall } from "./recall.ts";
import { refuse, succeed, type Result } from "./result.ts";
import type { RefundStatus } from "./statuses.ts";
import { ticketSharesOf, type TicketShare } from "./ticket-shares.ts";

/** A refund moves to a higher rank. Only the provider's own news of it, by its id, that it failed after all moves one back. */
export const REFUND_RANK: Readonly<Record<RefundStatus, number>> = { created: 0, submitted: 1, failed: 2, succeeded: 3 };

/**
 * Asks for the whole payment back. The refund's id derives from order and payment, so there is one however often this runs.
 * A payment of nothing has nothing to give back.
 */
export function sendBack(record: OrderRecord, paid: PaidBy, reason: RefundReason, nowMs: number): OrderRecord {
  const id = deriveIdWithin(record.view.id, ["refund", paid.provider, paid.paymentId]);
  if (record.refunds.some((refund) => refund.id === id)) return record;
  if (paid.amountCents <= 0) return changeMoney(record, {});
  return changeMoney(record, { refunds: [...record.refunds, makeRefund(paid, { id, reason }, nowMs)] });
}

function makeRefund(
  paid: PaidBy,
  known: Pick<Refund, "id" | "reason"> & Partial<Pick<Refund, "ticketIds" | "note">>,
  nowMs: number,
): Refund {
  // There is nobody to ask: a person pays it back.
  const status = paid.provider === PAID_ELSEWHERE ? "submitted" : "created";
  return { ...paid, providerRefundId: null, status, ticketIds: [], note: null, ...known, createdAtMs: nowMs };
}

/** The refunds that an order got with its last change and that no provider can be asked for: a person must pay them. */
export function refundsByHand(before: OrderRecord | undefined, record: OrderRecord): readonly Refund[] {
  if (record.refunds === before?.refunds) return [];
  const known = new Set(before?.refunds.map(({ id }) => id));
  return record.refunds.filter(({ id, provider }) => provider === PAID_ELSEWHERE && !known.has(id));
}

/** The tickets that can be paid back: the living ones, and dead ones whose money went back in vain. */
export function refundableSharesOf(record: OrderRecord): readonly TicketShare[] {
  const dead = new Set(record.recalled);
  const back = new Set(record.refunds.flatMap(({ status, ticketIds }) => (status === "failed" ? [] : ticketIds)));
  const inVain = new Set(record.refunds.flatMap(({ ticketIds }) => ticketIds).filter((ticketId) => !back.has(ticketId)));
  return ticketSharesOf(record.view).filter(({ ticketId }) => !dead.has(ticketId) || inVain.has(ticketId));
}

/**
 * Decides about an organiser's wish to pay tickets back: they die, and their share of the payment goes back. Tickets that cost
 * nothing only die; those that are dead already, because a first refund of them failed, are only paid. What a bank took in a dispute,
 * nobody having said for which tickets, pays for the first that are named: only the rest is asked for.
 *
 * Refuses `request_in_flight` while something else is done with the order; `order_not_refundable` when it was not paid, its
 * payment is disputed or nothing of it is left; `not_found` for tickets of another order, `ticket_not_valid` for those that are
 * paid back; `refund_exceeds_payment` for more than is left of the payment.
 */
export function decideRefund(record: OrderRecord, command: RefundCommand, nowMs: number): Result<OrderRecord, Failure> {
  const { view, paidBy } = record;
  if (record.step.kind !== "none") return refuse({ code: "request_in_flight" });
  if (view.paidAtMs === null) return refuse({ code: "order_not_refundable", reason: "not_paid" });
  if (paidBy && isInDispute(record, paidBy)) return refuse({ code: "order_not_refundable", reason: "disputed" });
  const chosen = chooseShares(record, command.ticketIds);
  if (!chosen.ok) return chosen;
  const { requestId, userId: actor } = command.request;
  // Keys are forgotten after a day, and one may come back for other tickets: theirs is another refund.
  const id = deriveIdWithin(view.id, ["refund", requestId, String(record.version)]);
  const ticketIds = chosen.value.map((share) => share.ticketId);
  const dead = new Set(record.recalled);
  const living = ticketIds.filter((ticketId) => !dead.has(ticketId));
  const step = stepOfRecall({ id, ticketIds: living, restock: command.restock, cause: "refund", actor });
  const costCents = chosen.value.reduce((sum, share) => sum + share.amountCents, 0);
  if (!paidBy || costCents === 0) return succeed(changeMoney(record, { step }));
  const paidByBankCents = Math.min(costCents, unnamedLossCentsOf(record));
  const amountCents = costCents - paidByBankCents;
  if (amountCents > leftCentsOf(record, paidBy)) return refuse({ code: "refund_exceeds_payment" });
  const known = paidByBankCents > 0 ? nameLoss(record, ticketIds) : record.refunds;
  const what = { id, reason: "requested", ticketIds, note: command.reason } as const;
  const refunds = amountCents > 0 ? [...known, makeRefund({ ...paidBy, amountCents }, what, nowMs)] : known;
  const changed = changeMoney(record, { step, refunds });
  return succeed(step.kind === "none" ? { ...changed, step: stepAfterRecall(changed) } : changed);
}

function chooseShares(record: OrderRecord, ticketIds: readonly string[] | null): Result<readonly TicketShare[], Failure> {
  const wanted = ticketIds && new Set(ticketIds);
  const own = new Set(ticketSharesOf(record.view).map(({ ticketId }) => ticketId));
  if (wanted && [...wanted].some((ticketId) => !own.has(ticketId))) return refuse({ code: "not_found", what: "ticket" });
  const refundable = refundableSharesOf(record);
  if (refundable.length === 0) return refuse({ code: "order_not_refundable", reason: "nothing_left" });
  if (!wanted) return succeed(refundable);
  const chosen = refundable.filter(({ ticketId }) => wanted.delete(ticketId));
  return wanted.size === 0 ? succeed(chosen) : refuse({ code: "ticket_not_valid", ticketIds: [...wanted] });
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
  const isNews = known.toldAtMs === undefined && REFUND_RANK[status] > REFUND_RANK[known.status];
  const moved = { ...known, providerRefundId, status: isNews ? status : known.status };
  return changeMoney(record, { refunds: replaceRefund(record.refunds, moved) });
}

/** The refunds with one of them in a new state. */
export function replaceRefund(refunds: readonly Refund[], moved: Refund): readonly Refund[] {
  return refunds.map((refund) => (refund.id === moved.id ? moved : refund));
}

/**
 * What went back past us cannot go back again: refunds that were not asked for yet ask for no more than is left beside the others.
 * One that asks for less does so under an id of its own: a provider may remember the old one with its amount. While more is said to
 * be gone than came, one of those others has failed and its news is late: nothing is given up then.
 * @param told the refund that makes the others fit no more.
 */
export function fitIntoRest(record: OrderRecord, told: Refund): readonly Refund[] {
  const isOpen = (refund: Refund): boolean => isSamePayment(refund, told) && refund.status === "created";
  const others = { refunds: record.refunds.filter((refund) => !isOpen(refund)) };
  let restCents = (paidCentsOf(record, told) ?? 0) - bookedCentsOf(others, told);
  if (restCents < 0) return record.refunds;
  return record.refunds.flatMap((refund): readonly Refund[] => {
    if (!isOpen(refund)) return [refund];
    const amountCents = Math.min(restCents, refund.amountCents);
    restCents -= amountCents;
    if (amountCents === refund.amountCents) return [refund];
    const givenUp: Refund = { ...refund, status: "failed" };
    const id = deriveIdWithin(refund.id, ["refund", "rest", told.id]);
    return amountCents === 0 ? [givenUp] : [givenUp, { ...refund, id, amountCents }];
  });
}
