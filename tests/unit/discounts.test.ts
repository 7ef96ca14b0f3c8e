import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeKeyOf, judgeCodes, type Discount, type DiscountRule } from "#domain/discount";
import { combineDiscounts } from "#domain/discount-order";
import { cutPositions, type TicketPosition } from "#domain/discount-positions";
import { priceOrder } from "#domain/price-order";
import { splitByLargestRemainder } from "#domain/split-amount";
import { makeDiscount } from "../support/make-discount.ts";

function positionsAt(...pricesCents: readonly number[]): TicketPosition[] {
  return pricesCents.map((priceCents, lineIndex) => ({ lineIndex, ticketTypeId: `type-${lineIndex}`, priceCents }));
}

/** What the buyer pays for each position, after the best order of the codes. */
function pay(positions: readonly TicketPosition[], ...discounts: readonly Discount[]): number[] | string {
  const combined = combineDiscounts(positions, discounts);
  if (!combined.ok) return combined.failure.code;
  const cuts = new Map(combined.value.flatMap((applied) => Array.from(applied.cuts)));
  return positions.map(({ priceCents }, index) => priceCents - (cuts.get(index) ?? 0));
}

const HALF: DiscountRule = { type: "percentage", percentBps: 5_000 };
const BUY_2_GET_1: DiscountRule = { type: "bogo", buyQuantity: 2, getQuantity: 1, percentOffBps: 10_000 };

describe("buy two, get one", () => {
  it("gives the cheapest of all, a third of them", () => {
    expect(pay(positionsAt(1, 2, 3, 4, 5, 6), makeDiscount(BUY_2_GET_1))).toEqual([0, 0, 3, 4, 5, 6]);
    expect(pay(positionsAt(6, 5, 4, 3, 2, 1), makeDiscount(BUY_2_GET_1))).toEqual([6, 5, 4, 3, 0, 0]);
  });

  it("gives as many of each group as its rule says", () => {
    const oneOfThree = makeDiscount({ type: "bogo", buyQuantity: 1, getQuantity: 2, percentOffBps: 10_000 });
    expect(pay(positionsAt(1, 2, 3, 4, 5, 6, 7), oneOfThree)).toEqual([0, 0, 0, 0, 5, 6, 7]);
  });

  it("gives nothing for a group that is not full, and leaves the dearest to another discount", () => {
    expect(pay(positionsAt(10, 20), makeDiscount(BUY_2_GET_1))).toBe("discount_not_applicable");
    const bogo = makeDiscount(BUY_2_GET_1, { code: "B", stackable: true });
    const third = makeDiscount({ type: "percentage", percentBps: 3_000 }, { code: "T", stackable: true });
    // 30 % of everything alone would be 24 off; one free ticket and 30 % of the dearest are 25.
    expect(pay(positionsAt(10, 10, 10, 50), bogo, third)).toEqual([0, 10, 10, 35]);
  });

  it("may give a part of the price only, rounded half up", () => {
    const rule: DiscountRule = { ...BUY_2_GET_1, percentOffBps: 3_333 };
    expect(pay(positionsAt(100, 200, 300), makeDiscount(rule))).toEqual([67, 200, 300]);
  });
});

describe("a fixed discount", () => {
  it("never pays out: it ends at a price of 0, for each ticket or for the order", () => {
    const ofTicket = makeDiscount({ type: "fixed", amountCents: 500, scope: "ticket" });
    expect(pay(positionsAt(300, 700), ofTicket)).toEqual([0, 200]);
    const ofOrder = makeDiscount({ type: "fixed", amountCents: 5_000, scope: "order" });
    expect(pay(positionsAt(300, 700), ofOrder)).toEqual([0, 0]);
  });

  it("of an order is split so that the parts are the whole, to the cent", () => {
    const discount = makeDiscount({ type: "fixed", amountCents: 1_000, scope: "order" });
    expect(pay(positionsAt(1_000, 1_000, 1_000), discount)).toEqual([666, 667, 667]);
  });

  it.each([
    [3, [2, 2, 1], [1, 1, 1]],
    [3, [1, 2, 2], [1, 1, 1]],
    [2, [1, 1, 4], [1, 0, 1]],
    [5, [3, 3, 4], [2, 1, 2]],
  ])(
    "gives the odd cents to the largest remainders, and of equal ones to the first: %d over %j",
    (amountCents, prices, parts) => {
      expect(splitByLargestRemainder(amountCents, prices)).toEqual(parts);
    },
  );

  it("split over any prices is the amount, or all there is, and no part more than its price", () => {
    const prices = fc.array(fc.nat(1_000_000_000), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(2_000_000_000), prices, (amountCents, weights) => {
        const parts = splitByLargestRemainder(amountCents, weights);
        const sum = weights.reduce((total, weight) => total + weight, 0);
        expect(parts.reduce((total, part) => total + part, 0)).toBe(Math.min(amountCents, sum));
        for (const [at, part] of parts.entries()) {
          const weight = weights[at] ?? 0;
          expect(part).toBeGreaterThanOrEqual(0);
          expect(part).toBeLessThanOrEqual(weight);
          const exact = sum === 0 ? 0 : (Math.min(amountCents, sum) * weight) / sum;
          expect(Math.abs(part - exact)).toBeLessThan(1.001);
        }
      }),
    );
  });
});

describe("a condition", () => {
  const half = (change: Partial<Discount>): Discount => makeDiscount(HALF, change);

  it.each<[string, Partial<Discount>, number[] | string]>([
    ["ticket types", { ticketTypeIds: ["type-1"] }, [100, 50, 100]],
    ["ticket types that are not in the basket", { ticketTypeIds: ["other"] }, "discount_not_applicable"],
    ["a quantity that is just reached", { minQuantity: 3 }, [50, 50, 50]],
    ["a quantity that is just missed", { minQuantity: 4 }, "discount_not_applicable"],
    ["a quantity of the named types alone", { minQuantity: 2, ticketTypeIds: ["type-1"] }, "discount_not_applicable"],
    ["a sum that is just reached", { minSubtotalCents: 300 }, [50, 50, 50]],
    ["a sum that is just missed", { minSubtotalCents: 301 }, "discount_not_applicable"],
  ])("on %s is kept", (_, change, expected) => {
    expect(pay(positionsAt(100, 100, 100), half(change))).toEqual(expected);
  });

  it("that takes nothing off uses nothing up", () => {
    expect(pay(positionsAt(0, 0), half({}))).toBe("discount_not_applicable");
  });
});

describe("the time of a code", () => {
  const judge = (change: Partial<Discount>, nowMs: number): string => {
    const judged = judgeCodes([makeDiscount(HALF, change)], nowMs);
    return judged.ok ? "ok" : judged.failure.code;
  };

  it("begins at its first millisecond and ends before its last", () => {
    const window = { validFromMs: 100, validUntilMs: 200 };
    expect([99, 100, 199, 200].map((nowMs) => judge(window, nowMs))).toEqual([
      "discount_not_started",
      "ok",
      "ok",
      "discount_expired",
    ]);
  });

  it("of an early bird ends at its own time, too", () => {
    const rule: DiscountRule = { type: "early_bird", cut: { amountCents: 1 }, untilMs: 150, firstTickets: null };
    expect(judge({ rule, validUntilMs: 200 }, 149)).toBe("ok");
    expect(judge({ rule, validUntilMs: 200 }, 150)).toBe("discount_expired");
  });
});

describe("several codes", () => {
  it("go together only when every one of them may", () => {
    const codes = [makeDiscount(HALF, { code: "A", stackable: true }), makeDiscount(HALF, { code: "B" })];
    expect(judgeCodes(codes, 0)).toMatchObject({ failure: { code: "discount_not_stackable", discountCode: "B" } });
  });

  it("are the same code in upper and in lower case", () => {
    expect(codeKeyOf(" sUmmer-30 ")).toBe("SUMMER-30");
  });

  it("that take off the same are used in the order of their letters", () => {
    const one = makeDiscount(HALF, { code: "b", stackable: true });
    const other = makeDiscount(HALF, { code: "A", stackable: true });
    const combined = combineDiscounts(positionsAt(100), [one, other]);
    expect(combined.ok && combined.value.map(({ discount }) => discount.code)).toEqual(["A"]);
  });
});

const rules: fc.Arbitrary<DiscountRule> = fc.oneof(
  fc.record({ type: fc.constant("percentage" as const), percentBps: fc.integer({ min: 1, max: 10_000 }) }),
  fc.record({
    type: fc.constant("fixed" as const),
    amountCents: fc.integer({ min: 1, max: 3_000 }),
    scope: fc.constantFrom("ticket" as const, "order" as const),
  }),
  fc.record({
    type: fc.constant("bogo" as const),
    buyQuantity: fc.integer({ min: 1, max: 3 }),
    getQuantity: fc.integer({ min: 1, max: 3 }),
    percentOffBps: fc.integer({ min: 1, max: 10_000 }),
  }),
);
const codes = fc
  .array(
    fc.record({
      rule: rules,
      ticketTypeIds: fc.option(fc.uniqueArray(fc.constantFrom("type-0", "type-1", "type-2", "type-3"), { minLength: 1 })),
      minQuantity: fc.option(fc.integer({ min: 1, max: 3 })),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((made) => made.map(({ rule, ...change }, at) => makeDiscount(rule, { ...change, code: `C${at}`, stackable: true })));
const baskets = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 8 }).map((prices) => positionsAt(...prices));

/** Every order of the items. */
function permute<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permute(items.toSpliced(at, 1)).map((rest) => [item].concat(rest)));
}

/** What codes take off when they are applied in exactly this order. */
function takeInOrder(positions: readonly TicketPosition[], discounts: readonly Discount[]): number {
  let free = positions.map((_, index) => index);
  let totalCents = 0;
  for (const discount of discounts) {
    const found = cutPositions(discount, positions, free);
    if (!found) continue;
    totalCents += found.totalCents;
    free = free.filter((index) => !found.cuts.has(index));
  }
  return totalCents;
}

describe("any codes on any basket", () => {
  it("give the buyer the best of all orders, use no ticket twice and never more than its price", () => {
    fc.assert(
      fc.property(baskets, codes, (positions, discounts) => {
        const combined = combineDiscounts(positions, discounts);
        if (!combined.ok) {
          expect(discounts.some((discount) => takeInOrder(positions, [discount]) === 0)).toBe(true);
          return;
        }
        const used = combined.value.flatMap(({ cuts }) => [...cuts.keys()]);
        expect(new Set(used).size).toBe(used.length);
        let totalCents = 0;
        for (const [index, cutCents] of combined.value.flatMap(({ cuts }) => [...cuts])) {
          expect(cutCents).toBeGreaterThanOrEqual(0);
          expect(cutCents).toBeLessThanOrEqual(positions[index]?.priceCents ?? -1);
          totalCents += cutCents;
        }
        expect(totalCents).toBe(Math.max(...permute(discounts).map((order) => takeInOrder(positions, order))));
        const reversed = combineDiscounts(positions, discounts.toReversed());
        expect(reversed).toEqual(combined);
      }),
      { numRuns: 500 },
    );
  });

  it("make an order whose lines have exactly what the codes took off, and count each ticket that got cheaper", () => {
    fc.assert(
      fc.property(baskets, codes, (positions, discounts) => {
        const types = new Map(
          positions.map(({ ticketTypeId, priceCents }) => [
            ticketTypeId,
            { name: "Floor", priceCents, feeCents: 10, taxRateBps: 1_900 },
          ]),
        );
        const basket = positions.map(({ ticketTypeId }) => ({ ticketTypeId, quantity: 2 }));
        const capped = discounts.map((discount) => ({
          ...discount,
          id: discount.code,
          maxUses: 1,
          maxUsesUnit: "tickets" as const,
        }));
        const priced = priceOrder(basket, { types, currency: "EUR", taxRounding: "line", discounts: capped, nowMs: 0 });
        if (!priced.ok) return;
        const { lines, totals, discounts: applied } = priced.value;
        for (const line of lines) {
          const taken = applied
            .flatMap((discount) => discount.lines)
            .filter(({ lineNumber }) => lineNumber === line.lineNumber);
          expect(line.discountCents).toBe(taken.reduce((sum, { amountCents }) => sum + amountCents, 0));
        }
        expect(totals.totalCents).toBe(lines.reduce((sum, line) => sum + line.totalCents, 0));
        expect(totals.totalCents).toBe(totals.subtotalCents - totals.discountCents + totals.feeCents);
        const cheaper = applied.flatMap(({ uses }) => uses).reduce((sum, { quantity }) => sum + quantity, 0);
        expect(cheaper).toBeLessThanOrEqual(positions.length * 2);
        expect(applied.every(({ uses }) => uses.length === 1 && uses.every(({ quantity }) => quantity > 0))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
