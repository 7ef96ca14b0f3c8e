import { assertInvariant } from "./result.ts";

/**
 * How the tax of an order is rounded. Prices contain their tax, and 5 × 100.00 at 19 % show the difference:
 *
 * - `line`: for each ticket, and summed: 500.00, of which 79.85 are tax.
 * - `sum_by_net`: on the sum of the net prices of each rate; prices follow, a minor unit a ticket: 499.98, of which 79.83.
 * - `sum_by_net_keep_gross`: on the sum of the gross prices of each rate; prices stay: 500.00, of which 79.83.
 */
export const TAX_ROUNDINGS = ["line", "sum_by_net", "sum_by_net_keep_gross"] as const;
export type TaxRounding = (typeof TAX_ROUNDINGS)[number];

/** A ticket with its tax. Money in minor units; `grossCents` contains `taxCents`. */
export interface TaxedTicket {
  readonly grossCents: number;
  readonly taxRateBps: number;
  readonly taxCents: number;
  /** What rounding the order's tax has put on the price, or taken off it. */
  readonly roundingCents: number;
}

/** Basis points of the whole. */
const WHOLE_BPS = 10_000;

/**
 * The tax contained in a gross amount, rounded half up.
 * @example containedTaxCents(10000, 1900) is 1597: of 100.00 at 19 %, 15.97 are tax.
 */
export function containedTaxCents(grossCents: number, taxRateBps: number): number {
  return shareHalfUp(grossCents, taxRateBps, WHOLE_BPS + taxRateBps);
}

/** `cents` × `bps` / `divisor`, rounded half up, exact also where the product is no exact number any more. */
function shareHalfUp(cents: number, bps: number, divisor: number): number {
  const doubled = 2 * cents * bps + divisor;
  if (Number.isSafeInteger(doubled)) return Math.floor(doubled / (2 * divisor));
  return Number((2n * BigInt(cents) * BigInt(bps) + BigInt(divisor)) / (2n * BigInt(divisor)));
}

/**
 * Rounds the tax of an order as `rounding` says, given tickets whose tax is rounded one by one.
 * Invariant: a ticket moves by one minor unit at most, and no tax becomes negative or more than its price; the gross amounts
 * change only under `sum_by_net`, by `roundingCents`, and then the net amounts do not.
 */
export function roundTax<Ticket extends TaxedTicket>(tickets: readonly Ticket[], rounding: TaxRounding): readonly Ticket[] {
  if (rounding === "line") return tickets;
  const rates = new Set(tickets.map((ticket) => ticket.taxRateBps));
  const rounded = [...tickets];
  for (const rateBps of rates) {
    const ofRate = [...rounded.keys()].filter((at) => rounded[at]?.taxRateBps === rateBps);
    roundRate(rounded, ofRate, rateBps, rounding);
  }
  return rounded;
}

/** Puts what the tax of one rate is off onto its dearest tickets, a minor unit each. Changes `tickets` in place. */
function roundRate<Ticket extends TaxedTicket>(
  tickets: Ticket[],
  ofRate: readonly number[],
  rateBps: number,
  rounding: Exclude<TaxRounding, "line">,
): void {
  const grossOf = (at: number): number => tickets[at]?.grossCents ?? 0;
  const taxOf = (at: number): number => tickets[at]?.taxCents ?? 0;
  const sum = (pick: (at: number) => number): number => ofRate.reduce((total, at) => total + pick(at), 0);
  const [grossCents, taxCents] = [sum(grossOf), sum(taxOf)];
  const targetCents =
    rounding === "sum_by_net" ? shareHalfUp(grossCents - taxCents, rateBps, WHOLE_BPS) : containedTaxCents(grossCents, rateBps);
  const unit = Math.sign(targetCents - taxCents);
  const missing = Math.abs(targetCents - taxCents);
  const canMove = (at: number): boolean => (unit < 0 ? taxOf(at) > 0 : grossOf(at) > taxOf(at));
  const moved = ofRate
    .filter(canMove)
    .toSorted((one, other) => grossOf(other) - grossOf(one) || one - other)
    .slice(0, missing);
  assertInvariant(moved.length === missing, "a rounding difference is less than a minor unit a ticket");
  for (const at of moved) {
    const ticket = tickets[at];
    if (!ticket) continue;
    const roundingCents = rounding === "sum_by_net" ? unit : 0;
    tickets[at] = {
      ...ticket,
      taxCents: ticket.taxCents + unit,
      grossCents: ticket.grossCents + roundingCents,
      roundingCents,
    };
  }
}
