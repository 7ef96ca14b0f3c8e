import { judgeCodes, type Discount } from "./discount.ts";
import { combineDiscounts, type AppliedCuts } from "./discount-order.ts";
import { usesOf } from "./discount-stock.ts";
import type { TicketPosition } from "./discount-positions.ts";
import type { Failure } from "./failure.ts";
import type { AppliedDiscount, BasketLine, OrderLine, OrderTotals } from "./order-messages.ts";
import { positionsOf, priceBasket, type PricedType } from "./pricing.ts";
import { succeed, type Result } from "./result.ts";
import type { TaxRounding } from "./tax.ts";

/** What an order costs, and which discounts made it so. */
export interface PricedOrder {
  readonly lines: readonly OrderLine[];
  readonly totals: OrderTotals;
  readonly discounts: readonly AppliedDiscount[];
}

/** What an order is priced with beside its lines. */
export interface PricingInput {
  readonly types: ReadonlyMap<string, PricedType>;
  readonly currency: string;
  readonly taxRounding: TaxRounding;
  readonly discounts: readonly Discount[];
  readonly nowMs: number;
}

/**
 * Prices an order with its discount codes: the quote and the purchase both come here, so they cannot differ. Discounts come
 * first, then the tax of what is left.
 * @returns `discount_not_started`, `discount_expired`, `discount_not_stackable` or `discount_not_applicable` for a code that
 * may not be used; whether a capped one is used up, its inventory alone knows.
 * Invariant: the lines' discounts are the sum of those in `discounts`, but for a rounding of the tax.
 */
export function priceOrder(basket: readonly BasketLine[], input: PricingInput): Result<PricedOrder, Failure> {
  const { types, currency, taxRounding, discounts, nowMs } = input;
  const judged = judgeCodes(discounts, nowMs);
  if (!judged.ok) return judged;
  if (discounts.length === 0) {
    return succeed({ ...priceBasket(basket, types, currency, { taxRounding, cutsCents: new Map() }), discounts: [] });
  }
  const positions = positionsOf(basket, types);
  const combined = combineDiscounts(positions, discounts);
  if (!combined.ok) return combined;
  const cutsCents = new Map(combined.value.flatMap(({ cuts }) => [...cuts]));
  const priced = priceBasket(basket, types, currency, { taxRounding, cutsCents });
  return succeed({ ...priced, discounts: combined.value.map((applied) => toApplied(applied, positions)) });
}

function toApplied({ discount, cuts }: AppliedCuts, positions: readonly TicketPosition[]): AppliedDiscount {
  const amounts = new Map<number, number>();
  let cheaperTickets = 0;
  for (const [index, cutCents] of cuts) {
    if (cutCents === 0) continue;
    cheaperTickets += 1;
    const lineNumber = (positions[index]?.lineIndex ?? 0) + 1;
    amounts.set(lineNumber, (amounts.get(lineNumber) ?? 0) + cutCents);
  }
  const { rule } = discount;
  return {
    discountId: discount.id,
    lines: Array.from(amounts, ([lineNumber, amountCents]) => ({ lineNumber, amountCents })),
    uses: usesOf(discount, cheaperTickets),
    ...(rule.type === "early_bird" && rule.untilMs !== null ? { untilMs: rule.untilMs } : {}),
  };
}
