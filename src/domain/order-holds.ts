import { deriveIdWithin } from "./ids.ts";
import { viewAt, type OrderRecord } from "./order.ts";
import type { BasketLine, HoldView, SharedHoldTime } from "./order-messages.ts";
import { ticketIdOf } from "./order-tickets.ts";
import type { OrderStatus, ReservationStatus } from "./statuses.ts";

/** Stock held for an order at one inventory: of a ticket type, or of a capped discount. */
export interface StockHold {
  /** A line's own number; the uses of discounts are numbered on after the last line. */
  readonly number: number;
  readonly stockName: string;
  readonly reservationId: string;
  readonly quantity: number;
}

/** The hold that an order makes itself: of its seats, unless it uses one made earlier, and of its discounts' uses. */
export function ownHoldIdOf(orderId: string): string {
  return deriveIdWithin(orderId, ["hold"]);
}

/**
 * How long a basket is held: as long as the type of it that is held shortest. Each inventory decides alone and cannot know the
 * others; one that held longer would keep its stock for an order that is over.
 * @throws when a line names a type that `types` does not hold (callers look types up first).
 */
export function sharedHoldTimeOf(
  lines: readonly BasketLine[],
  types: ReadonlyMap<string, { readonly reservationTtlSeconds: number }>,
): SharedHoldTime {
  if (lines.length === 1) return {};
  const times = lines.map(({ ticketTypeId }) => {
    const type = types.get(ticketTypeId);
    if (!type) throw new Error(`no ticket type ${ticketTypeId}`);
    return type.reservationTtlSeconds * 1_000;
  });
  return { holdMs: Math.min(...times) };
}

/** Everything that is held for an order, always in the same order with the same numbers. */
export function holdsOf({ view, discounts = [] }: Pick<OrderRecord, "view" | "discounts">): readonly StockHold[] {
  const seats = view.lines.map(({ lineNumber, ticketTypeId, quantity }) => ({
    number: lineNumber,
    stockName: ticketTypeId,
    reservationId: view.reservationId,
    quantity,
  }));
  const uses = discounts.flatMap((discount) => discount.uses);
  if (uses.length === 0) return seats;
  const reservationId = ownHoldIdOf(view.id);
  return [
    ...seats,
    ...uses.map(({ stockName, quantity }, at) => ({ number: seats.length + 1 + at, stockName, reservationId, quantity })),
  ];
}

/** The seats of these tickets of the order, by the inventories that sold them. */
export function seatsOf({ view }: OrderRecord, ticketIds: readonly string[]): readonly StockHold[] {
  const wanted = new Set(ticketIds);
  return view.lines.flatMap(({ lineNumber: number, ticketTypeId: stockName, quantity: sold }) => {
    const positions = Array.from({ length: sold }, (_, position) => ticketIdOf(view.id, number, position));
    const quantity = positions.filter((ticketId) => wanted.has(ticketId)).length;
    return quantity === 0 ? [] : [{ number, stockName, reservationId: view.reservationId, quantity }];
  });
}

/** The hold under an order, as a buyer reads it. */
export function holdOf(record: OrderRecord, nowMs: number): HoldView {
  const view = viewAt(record, nowMs);
  return {
    id: view.reservationId,
    tenantId: view.tenantId,
    userId: view.userId,
    eventId: view.eventId,
    status: HOLD_STATUS_OF_ORDER[view.status],
    expiresAtMs: view.holdExpiresAtMs,
    lines: view.lines.map(({ ticketTypeId, quantity }) => ({ ticketTypeId, quantity })),
  };
}

const HOLD_STATUS_OF_ORDER: Readonly<Record<OrderStatus, ReservationStatus>> = {
  PENDING: "ACTIVE",
  PAYMENT_FAILED: "ACTIVE",
  EXPIRED: "EXPIRED",
  CANCELLED: "CANCELLED",
  PAID: "COMPLETED",
  AWAITING_MINT: "COMPLETED",
  MINT_FAILED: "COMPLETED",
  COMPLETED: "COMPLETED",
  REFUNDED: "COMPLETED",
};
