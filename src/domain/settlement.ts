import { change, raise, type OrderRecord } from "./order.ts";
import { changeMoney } from "./order-payments.ts";
import { sendBack } from "./refund.ts";

/** Every hold became a sale: the order is paid and its tickets exist. Changes nothing unless the order is at that step. */
export function settleConfirmed(record: OrderRecord, nowMs: number): OrderRecord {
  if (record.step.kind !== "confirm") return record;
  const paid = { ...raise(record.view, "PAID"), paidAtMs: nowMs };
  return changeMoney(record, { view: raise(paid, "AWAITING_MINT"), step: { kind: "none" }, paidBy: record.step.paid });
}

/**
 * Some hold could not become a sale: its time had run out and the stock is gone. Changes nothing unless the order is at that
 * step.
 * @param confirmedLines numbers of the holds (of lines, and of discounts' uses) that had become sales and go back on sale.
 */
export function settleSoldOut(record: OrderRecord, confirmedLines: readonly number[], nowMs: number): OrderRecord {
  if (record.step.kind !== "confirm") return record;
  const { paid } = record.step;
  const step = { kind: "give_back", paid, lineNumbers: confirmedLines } as const;
  const expired = change(record, { view: raise(record.view, "EXPIRED"), step });
  return confirmedLines.length > 0 ? expired : settleGivenBack(expired, nowMs);
}

/** What was confirmed is back on sale; the money goes back too. Changes nothing unless the order is at that step. */
export function settleGivenBack(record: OrderRecord, nowMs: number): OrderRecord {
  if (record.step.kind !== "give_back") return record;
  const { paid } = record.step;
  const done = change(record, { step: { kind: "none" } });
  return paid ? sendBack(done, paid, "sold_out_after_expiry", nowMs) : done;
}

/** The holds of a cancelled order are free. */
export function settleReleased(record: OrderRecord): OrderRecord {
  return record.step.kind === "release" ? change(record, { step: { kind: "none" } }) : record;
}
