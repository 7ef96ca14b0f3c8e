import type { OrderRecord } from "./order.ts";
import { nextRefundOf } from "./order-payments.ts";

/** Longest wait between two attempts at a step. */
const LONGEST_RETRY_MS = 60_000;

/** How long events may wait at an order until a person is called: its provider has long sent again what got lost by then. */
const WAIT_UNNOTICED_MS = 24 * 3_600_000;

/** When a person is to be called because events wait; null while none do, and when one was. */
function callAtMs({ waitingSinceMs }: OrderRecord): number | null {
  return waitingSinceMs === undefined ? null : waitingSinceMs + WAIT_UNNOTICED_MS;
}

/** The order whose events have waited for too long, once: whoever stores it calls a person ({@link isLongWait}). */
export function noteLongWait(record: OrderRecord, nowMs: number): OrderRecord {
  const callMs = callAtMs(record);
  if (callMs === null || nowMs < callMs) return record;
  const { waitingSinceMs: _since, ...noted } = record;
  return noted;
}

/** True for the change by {@link noteLongWait}. */
export function isLongWait(before: OrderRecord | undefined, record: OrderRecord): boolean {
  return before?.waitingSinceMs !== undefined && record.waitingSinceMs === undefined && record.waiting !== undefined;
}

/** When the desk must look at the order again, Unix milliseconds; null when nothing is left to do. */
export function dueAtMs(record: OrderRecord, nowMs: number): number | null {
  const retryMs = nowMs + Math.min(LONGEST_RETRY_MS, 1_000 * 2 ** record.attempts);
  if (record.step.kind !== "none") return retryMs;
  if (nextRefundOf(record)) return record.attempts === 0 ? nowMs : retryMs;
  const callMs = callAtMs(record);
  if (record.view.status !== "PENDING" && record.view.status !== "PAYMENT_FAILED") return callMs;
  return Math.min(record.view.holdExpiresAtMs, callMs ?? Infinity);
}
