import type { TicketPosition } from "./discount-positions.ts";
import type { BasketLine, OrderLine, OrderTotals } from "./order-messages.ts";
import { assertInvariant } from "./result.ts";
import { containedTaxCents, roundTax, type TaxedTicket, type TaxRounding } from "./tax.ts";

/** What pricing must know of a ticket type. Money in minor units of the event's currency; the price contains its tax. */
export interface PricedType {
  readonly name: string;
  readonly priceCents: number;
  /** Per ticket, on top of the price. */
  readonly feeCents: number;
  /** Basis points: 1900 is 19 %. */
  readonly taxRateBps: number;
}

/** What changes a price beside the list: how its tax is rounded, and what is off each ticket, by its position in the basket. */
export interface PriceTerms {
  readonly taxRounding: TaxRounding;
  readonly cutsCents: ReadonlyMap<number, number>;
}

const LIST_PRICES: PriceTerms = { taxRounding: "line", cutsCents: new Map() };

/**
 * The tickets of a basket one by one, line after line.
 * @throws when a line names a type that `types` does not hold (callers look types up first).
 */
export function positionsOf(basket: readonly BasketLine[], types: ReadonlyMap<string, PricedType>): readonly TicketPosition[] {
  return basket.flatMap(({ ticketTypeId, quantity }, lineIndex) => {
    const { priceCents } = typeOf(types, ticketTypeId);
    return Array.from({ length: quantity }, () => ({ lineIndex, ticketTypeId, priceCents }));
  });
}

/**
 * Prices a basket. A line is the sum of its tickets, the order the sum of its lines, tax included. A rounding of the tax that
 * moves prices (`sum_by_net`) counts as discount where it favours the buyer, else as fee.
 * Invariant: totalCents = subtotalCents − discountCents + feeCents, for each line and for the order; the order is the sum of its lines.
 * @throws when a line names a type that `types` does not hold (callers look types up first).
 */
export function priceBasket(
  basket: readonly BasketLine[],
  types: ReadonlyMap<string, PricedType>,
  currency: string,
  terms: PriceTerms = LIST_PRICES,
): { lines: readonly OrderLine[]; totals: OrderTotals } {
  const tickets = taxTickets(basket, types, terms);
  let first = 0;
  const lines = basket.map((line, at) => {
    const own = tickets.slice(first, first + line.quantity);
    first += line.quantity;
    return sumTickets(line, at + 1, typeOf(types, line.ticketTypeId), own);
  });
  return { lines, totals: sumLines(lines, currency) };
}

interface PricedTicket extends TaxedTicket {
  readonly cutCents: number;
}

function taxTickets(
  basket: readonly BasketLine[],
  types: ReadonlyMap<string, PricedType>,
  { taxRounding, cutsCents }: PriceTerms,
): readonly PricedTicket[] {
  const tickets = positionsOf(basket, types).map(({ ticketTypeId, priceCents }, position): PricedTicket => {
    const { feeCents, taxRateBps } = typeOf(types, ticketTypeId);
    const cutCents = cutsCents.get(position) ?? 0;
    const grossCents = priceCents - cutCents + feeCents;
    return { cutCents, grossCents, taxRateBps, taxCents: containedTaxCents(grossCents, taxRateBps), roundingCents: 0 };
  });
  return roundTax(tickets, taxRounding);
}

function typeOf(types: ReadonlyMap<string, PricedType>, ticketTypeId: string): PricedType {
  const type = types.get(ticketTypeId);
  assertInvariant(type !== undefined, "every line's ticket type is known before it is priced");
  return type;
}

function sumTickets(line: BasketLine, lineNumber: number, type: PricedType, tickets: readonly PricedTicket[]): OrderLine {
  const sum = (pick: (ticket: PricedTicket) => number): number => tickets.reduce((total, ticket) => total + pick(ticket), 0);
  const roundingCents = sum((ticket) => ticket.roundingCents);
  const discountCents = sum((ticket) => ticket.cutCents) + Math.max(0, -roundingCents);
  const feeCents = type.feeCents * line.quantity + Math.max(0, roundingCents);
  return {
    lineNumber,
    ticketTypeId: line.ticketTypeId,
    name: type.name,
    quantity: line.quantity,
    unitPriceCents: type.priceCents,
    discountCents,
    feeCents,
    taxCents: sum((ticket) => ticket.taxCents),
    totalCents: type.priceCents * line.quantity - discountCents + feeCents,
  };
}

/** @throws when the totals are not the sums of the lines: an order must never be stored so. */
export function assertSumOfLines(lines: readonly OrderLine[], totals: OrderTotals): void {
  const sums = sumLines(lines, totals.currency);
  const keys = ["subtotalCents", "discountCents", "feeCents", "taxCents", "totalCents"] as const;
  assertInvariant(
    keys.every((key) => sums[key] === totals[key]) &&
      totals.totalCents === totals.subtotalCents - totals.discountCents + totals.feeCents,
    "an order is the sum of its lines",
  );
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
