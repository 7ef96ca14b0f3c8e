import type { OrderView } from "./order-messages.ts";
import type { OrderStatus, PaymentStatus } from "./statuses.ts";

const MINUTE_MS = 60_000;
/** Longest pause between two checks of one payment. */
const LONGEST_PAUSE_MS = 6 * 60 * MINUTE_MS;
/** With the pauses below, about four days of checks. */
const MOST_CHECKS = 20;
/** How long late money may still come after a hold: a buyer who is at the bank's page must not lose their seats to us. */
const END_AFTER_HOLD_MS = 30 * MINUTE_MS;

/** True for an order that ended while its payment was open: nobody waits for that money, yet it may come. */
export function isToBeChecked({ status, payment }: Pick<OrderView, "status" | "payment">): boolean {
  return (status === "EXPIRED" || status === "CANCELLED") && payment !== null && isOpen(payment.status);
}

/** A declined payment is open too: another card may still pay it. */
function isOpen(status: PaymentStatus): boolean {
  return status === "REQUIRES_ACTION" || status === "FAILED";
}

/** True when the payment is to be ended at its provider: its order was cancelled, or outlived its hold by half an hour. */
export function isToBeEnded(
  order: { readonly orderStatus: OrderStatus; readonly holdExpiresAtMs: number },
  nowMs: number,
): boolean {
  return order.orderStatus === "CANCELLED" || nowMs >= order.holdExpiresAtMs + END_AFTER_HOLD_MS;
}

/**
 * When a payment is asked for again: after 2, 8, 32 … minutes, at most 6 hours.
 * @param checks how often its provider has been asked, 1 or more.
 * @returns Unix milliseconds; null when it was asked often enough and a person has to look.
 */
export function nextCheckAtMs(checks: number, nowMs: number): number | null {
  return checks >= MOST_CHECKS ? null : nowMs + Math.min(LONGEST_PAUSE_MS, 2 * 4 ** (checks - 1) * MINUTE_MS);
}
