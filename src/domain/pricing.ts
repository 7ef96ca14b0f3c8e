import type { BasketLine, OrderLine, OrderTotals } from "./order-messages.ts";
import { assertInvariant } from "./result.ts";

/** What pricing must know of a ticket type. Money in minor units of the event's currency; the price contains its tax. */
export interface PricedType {
  readonly name: string;
  readonly priceCents: number;
  /** Per ticket, on top of the price. */
  readonly feeCents: number;
  /** Basis points: 1900 is 19 %. */
  readonly taxRateBps: number;
}

/**
 * The tax contained in a gross amount, rounded half up.
 * @example containedTaxCents(10000, 1900) is 1597: of 100.00 at 19 %, 15.97 are tax.
 */
export function containedTaxCents(grossCents: number, taxRateBps: number): number {
  const divisor = 10_000 + taxRateBps;
  return Math.floor((2 * grossCents * taxRateBps + divisor) / (2 * divisor));
}

/**
 * Prices a basket. Tax is worked out for each ticket and summed, so a line's tax is its tickets' tax.
 * Invariant: totalCents = subtotalCents − discountCents + feeCents, for each line and for the order; the order is the sum of its lines.
 * @throws when a line names a type that `types` does not hold (callers look types up first).
 */
export function priceBasket(
  basket: readonly BasketLine[],
  types: ReadonlyMap<string, PricedType>,
  currency: string,
): { lines: readonly OrderLine[]; totals: OrderTotals } {
  const lines = basket.map((line, position) => priceLine(line, position + 1, types));
  return { lines, totals: sumLines(lines, currency) };
}

function priceLine(line: BasketLine, lineNumber: number, types: ReadonlyMap<string, PricedType>): OrderLine {
  const type = types.get(line.ticketTypeId);
  assertInvariant(type !== undefined, "every line's ticket type is known before it is priced");
  const feeCents = type.feeCents * line.quantity;
  return {
    lineNumber,
    ticketTypeId: line.ticketTypeId,
    name: type.name,
    quantity: line.quantity,
    unitPriceCents: type.priceCents,
    discountCents: 0,
    feeCents,
    taxCents: containedTaxCents(type.priceCents + type.feeCents, type.taxRateBps) * line.quantity,
    totalCents: type.priceCents * line.quantity + feeCents,
  };
}

function sumLines(lines: readonly OrderLine[], currency: string): OrderTotals {
  const sum = (pick: (line: OrderLine) => number): number => lines.reduce((total, line) => total + pick(line), 0);
  return {
    currency,
    subtotalCents: sum((line) => line.unitPriceCents * line.quantity),
    discountCents: sum((line) => line.discountCents),
    feeCents: sum((line) => line.feeCents),
    taxCents: sum((line) => line.taxCents),
    totalCents: sum((line) => line.totalCents),
  };
}
