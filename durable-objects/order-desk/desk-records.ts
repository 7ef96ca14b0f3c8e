import type { Failure } from "#domain/failure";
import type { OrderRecord } from "#domain/order";
import type { HoldView, OrderView } from "#domain/order-messages";
import { PAID_ELSEWHERE, type Refund } from "#domain/order-money";
import type { Result } from "#domain/result";

/** A hold with what recognises the request that made it, and the order that uses it. */
export interface HoldRecord {
  readonly view: HoldView;
  readonly bodyHash: string;
  readonly orderId: string | null;
}

/** The answer to a request that made nothing under its own id. */
export interface AnswerRecord {
  readonly bodyHash: string;
  readonly answer: Result<OrderView, Failure>;
}

/** An order from its stored JSON. One that was stored before tickets could be paid back lacks what came with that. */
export function readOrder(body: string): OrderRecord {
  const record = JSON.parse(body) as OrderRecord; // written by PendingWrites
  if ("refundedCents" in record.view) return record;
  const { view, refunds }: OrderRecord = record;
  // Nobody can be asked for money taken elsewhere, and it was tried on and on.
  const statusOf = ({ provider, status }: Refund): Refund["status"] => (provider === PAID_ELSEWHERE ? "submitted" : status);
  const filledUp = refunds.map((refund) => Object.assign(refund, { ticketIds: [], note: null, status: statusOf(refund) }));
  return Object.assign(record, { view: Object.assign(view, { refundedCents: 0 }), refunds: filledUp });
}

/** An answer from its stored JSON, with the order in it as {@link readOrder} gives one. */
export function readAnswer(body: string): AnswerRecord["answer"] {
  const answer = JSON.parse(body) as AnswerRecord["answer"]; // written by PendingWrites
  return answer.ok ? { ok: true, value: Object.assign({ refundedCents: 0 }, answer.value) } : answer;
}
