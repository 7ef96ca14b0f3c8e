import type { OrderRecord } from "./order.ts";
import { nextRefundOf } from "./order-payments.ts";

/** Longest wait between two attempts at a step. */
const LONGEST_RETRY_MS = 60_000;

/** When the desk must look at the order again, Unix milliseconds; null when nothing is left to do. */
export function dueAtMs(record: OrderRecord, nowMs: number): number | null {
  const retryMs = nowMs + Math.min(LONGEST_RETRY_MS, 1_000 * 2 ** record.attempts);
  if (record.step.kind !== "none") return retryMs;
  if (nextRefundOf(record)) return record.attempts === 0 ? nowMs : retryMs;
  if (record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED") return record.view.holdExpiresAtMs;
  return null;
}
