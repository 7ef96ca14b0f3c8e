import type { OrderView } from "./order-messages.ts";
import { ticketIdOf } from "./order-tickets.ts";
import { splitByLargestRemainder } from "./split-amount.ts";

/** What one ticket has cost of its order, fees and discounts in it, in minor units. */
export interface TicketShare {
  readonly ticketId: string;
  readonly lineNumber: number;
  readonly amountCents: number;
}

/**
 * Shares an order's total out over its tickets: each line's total in equal parts, the odd units to its first tickets.
 * Invariant: the shares of a line sum to its total, and so all of them to the order's.
 */
export function ticketSharesOf({ id, lines }: Pick<OrderView, "id" | "lines">): readonly TicketShare[] {
  return lines.flatMap(({ lineNumber, quantity, totalCents }) =>
    splitByLargestRemainder(
      totalCents,
      Array.from({ length: quantity }, () => totalCents),
    ).map((amountCents, position) => ({
      ticketId: ticketIdOf(id, lineNumber, position),
      lineNumber,
      amountCents,
    })),
  );
}
