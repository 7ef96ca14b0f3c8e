/** Orders whose money goes back, and what becomes of it. */
import type { OrderRecord } from "#domain/order";
import type { PaymentNews } from "#domain/order-messages";
import { ticketIdOf } from "#domain/order-tickets";
import { decideNews } from "#domain/payment-news";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "./order-story.ts";

/** A paid order of two tickets for 10.00. */
export function makePaid(): OrderRecord {
  return takeStep(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record, false, 2);
}

/** The same, the first of its tickets paid back: dead, its refund `created`. */
export function makeRefunded(): OrderRecord {
  const paid = makePaid();
  const ticketIds = [ticketIdOf(paid.view.id, 1, 0)];
  let record = happen(paid, { kind: "refund", command: makeRefundCommand("one", { ticketIds }) }, 3);
  while (record.step.kind !== "none") record = takeStep(record, false, 4);
  return record;
}

/** News that a refund was done, of the whole payment unless it says otherwise. */
export function tell(record: OrderRecord, changes: Partial<PaymentNews>): ReturnType<typeof decideNews> {
  return decideNews(record, makeNews("refund.succeeded", changes), 9);
}

/** Amount, status and reason of each refund. */
export function refundsOf(record: OrderRecord): unknown[] {
  return record.refunds.map(({ amountCents, status, reason }) => [amountCents, status, reason]);
}
