import type { Discount, DiscountRule, PriceCut } from "./discount.ts";
import { splitByLargestRemainder } from "./split-amount.ts";

/** One ticket of a basket. Its discount is taken off the price, never off a fee. */
export interface TicketPosition {
  /** Position of its line in the basket, from 0. */
  readonly lineIndex: number;
  readonly ticketTypeId: string;
  readonly priceCents: number;
}

/**
 * What a discount does to the positions it was offered, by their index there. `cuts` is in minor units; a position that only
 * made the discount possible (the bought part of buy-and-get) is in it with 0, because no other discount may use it.
 */
export interface PositionCuts {
  readonly cuts: ReadonlyMap<number, number>;
  readonly totalCents: number;
}

/** `bps` basis points of an amount, rounded half up. */
function shareOf(cents: number, bps: number): number {
  return Math.floor((cents * bps + 5_000) / 10_000);
}

function cutPrice(priceCents: number, cut: PriceCut): number {
  return "percentBps" in cut ? shareOf(priceCents, cut.percentBps) : Math.min(priceCents, cut.amountCents);
}

/**
 * Applies one discount to the positions that no other has used. All conditions are judged on those of its ticket types alone.
 * @param free indexes of the positions that are still free, ascending.
 * @returns undefined when it takes nothing off: a condition is not met, or there is nothing to take.
 * Invariant: each cut is 0 to the position's price.
 */
export function cutPositions(
  discount: Discount,
  positions: readonly TicketPosition[],
  free: readonly number[],
): PositionCuts | undefined {
  const { ticketTypeIds, minQuantity, minSubtotalCents, rule } = discount;
  const priceOf = (index: number): number => positions[index]?.priceCents ?? 0;
  const eligible = free.filter(
    (index) => ticketTypeIds === null || ticketTypeIds.includes(positions[index]?.ticketTypeId ?? ""),
  );
  if (eligible.length < (minQuantity ?? 1)) return undefined;
  const subtotalCents = eligible.reduce((sum, index) => sum + priceOf(index), 0);
  if (minSubtotalCents !== null && subtotalCents < minSubtotalCents) return undefined;
  const cuts = new Map(applyRule(rule, eligible, priceOf));
  const totalCents = [...cuts.values()].reduce((sum, cut) => sum + cut, 0);
  return totalCents > 0 ? { cuts, totalCents } : undefined;
}

function applyRule(
  rule: DiscountRule,
  eligible: readonly number[],
  priceOf: (index: number) => number,
): readonly (readonly [index: number, cutCents: number])[] {
  switch (rule.type) {
    case "percentage":
      return eligible.map((index) => [index, cutPrice(priceOf(index), rule)]);
    case "early_bird":
      return eligible.map((index) => [index, cutPrice(priceOf(index), rule.cut)]);
    case "fixed": {
      if (rule.scope === "ticket") return eligible.map((index) => [index, cutPrice(priceOf(index), rule)]);
      const shares = splitByLargestRemainder(rule.amountCents, eligible.map(priceOf));
      return eligible.map((index, at) => [index, shares[at] ?? 0]);
    }
    case "bogo":
      return cutGroups(rule, eligible, priceOf);
  }
}

/**
 * Buy so many, get so many: of all eligible tickets the cheapest are the ones that are given. The groups are made of the
 * cheapest too, so what is left over for another discount is the dearest.
 */
function cutGroups(
  rule: Extract<DiscountRule, { type: "bogo" }>,
  eligible: readonly number[],
  priceOf: (index: number) => number,
): readonly (readonly [index: number, cutCents: number])[] {
  const groupSize = rule.buyQuantity + rule.getQuantity;
  const groups = Math.floor(eligible.length / groupSize);
  const cheapestFirst = eligible.toSorted((one, other) => priceOf(one) - priceOf(other) || one - other);
  return cheapestFirst
    .slice(0, groups * groupSize)
    .map((index, rank) => [index, rank < groups * rule.getQuantity ? shareOf(priceOf(index), rule.percentOffBps) : 0]);
}
