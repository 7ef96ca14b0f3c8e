import { codeKeyOf, type Discount } from "./discount.ts";
import { cutPositions, type PositionCuts, type TicketPosition } from "./discount-positions.ts";
import type { Failure } from "./failure.ts";
import { refuse, succeed, type Result } from "./result.ts";

/** A discount with what it does to the positions. */
export interface AppliedCuts {
  readonly discount: Discount;
  readonly cuts: PositionCuts["cuts"];
}

interface Combination {
  readonly applied: readonly AppliedCuts[];
  readonly totalCents: number;
}

/**
 * Applies the codes one after the other, each to the positions that those before it left, in the order that takes off most;
 * of orders that take off the same, in the one that is first by code. A code that finds nothing left in that order is not
 * used at all, and not counted.
 * @param discounts at most `CODES_PER_ORDER`, found to be usable together; each order of them is tried.
 * @returns `discount_not_applicable` for the first code that would take nothing off this basket if it were alone.
 * Invariant: no position is in the cuts of two discounts.
 */
export function combineDiscounts(
  positions: readonly TicketPosition[],
  discounts: readonly Discount[],
): Result<readonly AppliedCuts[], Failure> {
  const all = positions.map((_, index) => index);
  const useless = discounts.find((discount) => !cutPositions(discount, positions, all));
  if (useless) return refuse({ code: "discount_not_applicable", discountCode: useless.code });
  const byCode = discounts.toSorted((one, other) => (codeKeyOf(one.code) < codeKeyOf(other.code) ? -1 : 1));
  return succeed(findBest(positions, all, byCode, { applied: [], totalCents: 0 }).applied);
}

/** The best way to go on from `before`; the first one found wins a tie. */
function findBest(
  positions: readonly TicketPosition[],
  free: readonly number[],
  rest: readonly Discount[],
  before: Combination,
): Combination {
  let best = before;
  for (const discount of free.length === 0 ? [] : rest) {
    const found = cutPositions(discount, positions, free);
    if (!found) continue;
    const after = findBest(
      positions,
      free.filter((index) => !found.cuts.has(index)),
      rest.filter((other) => other !== discount),
      {
        applied: [...before.applied, { discount, cuts: found.cuts }],
        totalCents: before.totalCents + found.totalCents,
      },
    );
    if (after.totalCents > best.totalCents) best = after;
  }
  return best;
}
