import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { priceOrder } from "#domain/price-order";
import { assertSumOfLines, priceBasket, type PricedType } from "#domain/pricing";
import { containedTaxCents, TAX_ROUNDINGS, type TaxRounding } from "#domain/tax";
import { makeDiscount } from "../support/make-discount.ts";

const types = fc.uniqueArray(
  fc.record({
    ticketTypeId: fc.uuid(),
    name: fc.string(),
    priceCents: fc.nat(100_000_000),
    feeCents: fc.nat(1_000_000),
    taxRateBps: fc.nat(10_000),
  }),
  { selector: (type) => type.ticketTypeId, minLength: 1, maxLength: 20 },
);

describe("a basket", () => {
  it("always costs what its lines cost, and holds the tax of its tickets", () => {
    fc.assert(
      fc.property(
        types,
        fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 20, maxLength: 20 }),
        (offered, quantities) => {
          const basket = offered.map(({ ticketTypeId }, position) => ({ ticketTypeId, quantity: quantities[position] ?? 1 }));
          const { lines, totals } = priceBasket(basket, new Map(offered.map((type) => [type.ticketTypeId, type])), "EUR");
          let totalCents = 0;
          let taxCents = 0;
          for (const [position, line] of lines.entries()) {
            const type = offered[position];
            expect(line.lineNumber).toBe(position + 1);
            expect(line.totalCents).toBe(line.unitPriceCents * line.quantity - line.discountCents + line.feeCents);
            expect(line.totalCents).toBe(((type?.priceCents ?? 0) + (type?.feeCents ?? 0)) * line.quantity);
            totalCents += line.totalCents;
            taxCents += line.taxCents;
          }
          expect(totals.totalCents).toBe(totalCents);
          expect(totals.totalCents).toBe(totals.subtotalCents - totals.discountCents + totals.feeCents);
          expect(totals.taxCents).toBe(taxCents);
          expect(totals.taxCents).toBeLessThanOrEqual(totals.totalCents);
          expect(
            Object.values(totals)
              .filter((value) => typeof value === "number")
              .every((value) => Number.isSafeInteger(value)),
          ).toBe(true);
        },
      ),
    );
  });

  it("of a type nobody knows is a bug, not a price of nothing", () => {
    expect(() => priceBasket([{ ticketTypeId: "unknown", quantity: 1 }], new Map<string, PricedType>(), "EUR")).toThrow(
      "broken invariant",
    );
  });
});

describe("contained tax", () => {
  it.each([
    [10_000, 1_900, 1_597],
    [119, 1_900, 19],
    [1, 10_000, 1], // half a cent, rounded up
    [3, 10_000, 2],
    [0, 1_900, 0],
    [10_000, 0, 0],
  ])("of %d at %d basis points is %d", (grossCents, taxRateBps, expectedCents) => {
    expect(containedTaxCents(grossCents, taxRateBps)).toBe(expectedCents);
  });

  it("is exact to half a cent, also where floating point is not", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(1_000_000_000), fc.maxSafeNat()), fc.nat(10_000), (grossCents, taxRateBps) => {
        const divisor = BigInt(10_000 + taxRateBps);
        const exact = (2n * BigInt(grossCents) * BigInt(taxRateBps) + divisor) / (2n * divisor);
        expect(BigInt(containedTaxCents(grossCents, taxRateBps))).toBe(exact);
      }),
    );
  });
});

/** Five tickets at 100.00 with 19 % in it. */
const FIVE = [{ ticketTypeId: "floor", quantity: 5 }];
const FLOOR = new Map([["floor", { name: "Floor", priceCents: 10_000, feeCents: 0, taxRateBps: 1_900 }]]);

describe("the tax of an order", () => {
  it.each<[TaxRounding, number, number]>([
    ["line", 50_000, 7_985],
    ["sum_by_net", 49_998, 7_983],
    ["sum_by_net_keep_gross", 50_000, 7_983],
  ])("of 5 tickets at 100.00 is as each way to round has it: %s", (taxRounding, totalCents, taxCents) => {
    const { lines, totals } = priceBasket(FIVE, FLOOR, "EUR", { taxRounding, cutsCents: new Map() });
    expect(totals).toMatchObject({ subtotalCents: 50_000, totalCents, taxCents });
    expect(lines).toMatchObject([{ totalCents, taxCents }]);
  });

  it("puts what rounding moves on the dearest of its tickets, and on none that cost nothing", () => {
    const makeType = (priceCents: number) => ({ name: "Floor", priceCents, feeCents: 0, taxRateBps: 1_900 });
    const prices = new Map([0, 10_000, 20_000].map((cents) => [`at ${cents}`, makeType(cents)]));
    const basket = [...prices.keys()].map((ticketTypeId, at) => ({ ticketTypeId, quantity: at === 1 ? 3 : 1 }));
    const linesBy = (taxRounding: TaxRounding): unknown[] =>
      priceBasket(basket, prices, "EUR", { taxRounding, cutsCents: new Map() }).lines.map(({ totalCents, taxCents }) => [
        totalCents,
        taxCents,
      ]);
    const others = [
      [0, 0],
      [30_000, 4_791],
    ];
    expect(linesBy("line")).toEqual([...others, [20_000, 3_193]]);
    expect(linesBy("sum_by_net")).toEqual([...others, [19_999, 3_192]]);
    expect(linesBy("sum_by_net_keep_gross")).toEqual([...others, [20_000, 3_192]]);
  });

  const cut = fc.nat(100_000_000);

  it("is that of its sums to half a cent, stands on its lines, and moves a price by a cent a ticket at most", () => {
    fc.assert(
      fc.property(types, fc.constantFrom(...TAX_ROUNDINGS), fc.array(cut, { maxLength: 60 }), (offered, taxRounding, cuts) => {
        const basket = offered.map(({ ticketTypeId }) => ({ ticketTypeId, quantity: 3 }));
        const byId = new Map(offered.map((type) => [type.ticketTypeId, type]));
        const priceOf = (position: number): number => offered[Math.floor(position / 3)]?.priceCents ?? 0;
        const cutsCents = new Map(cuts.map((cents, position) => [position, Math.min(cents, priceOf(position))]));
        const { lines, totals } = priceBasket(basket, byId, "EUR", { taxRounding, cutsCents });
        const plain = priceBasket(basket, byId, "EUR", { taxRounding: "line", cutsCents });
        for (const key of ["discountCents", "feeCents", "taxCents", "totalCents"] as const) {
          expect(totals[key]).toBe(lines.reduce((sum, line) => sum + line[key], 0));
          expect(lines.every((line) => line[key] >= 0)).toBe(true);
        }
        for (const [at, line] of lines.entries()) {
          expect(line.totalCents).toBe(line.unitPriceCents * line.quantity - line.discountCents + line.feeCents);
          expect(line.taxCents).toBeLessThanOrEqual(line.totalCents);
          const moved = Math.abs(line.totalCents - (plain.lines[at]?.totalCents ?? 0));
          expect(moved).toBeLessThanOrEqual(taxRounding === "sum_by_net" ? 3 : 0);
        }
        for (const rate of taxRounding === "line" ? [] : new Set(offered.map((type) => type.taxRateBps))) {
          const ofRate = lines.filter((line) => byId.get(line.ticketTypeId)?.taxRateBps === rate);
          const gross = ofRate.reduce((sum, line) => sum + line.totalCents, 0);
          const tax = ofRate.reduce((sum, line) => sum + line.taxCents, 0);
          const base = taxRounding === "sum_by_net" ? gross - tax : gross;
          const divisor = taxRounding === "sum_by_net" ? 10_000 : 10_000 + rate;
          expect(Math.abs(2 * (tax * divisor - base * rate))).toBeLessThanOrEqual(divisor);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a discount", () => {
  const price = (code: Parameters<typeof makeDiscount>[0], type: Partial<PricedType> = {}): ReturnType<typeof priceOrder> => {
    const floor = { name: "Floor", priceCents: 10_000, feeCents: 100, taxRateBps: 1_900, ...type };
    return priceOrder(FIVE, {
      types: new Map([["floor", floor]]),
      currency: "EUR",
      taxRounding: "line",
      discounts: [makeDiscount(code, { maxUses: 100, maxUsesUnit: "tickets" })],
      nowMs: 0,
    });
  };

  it("is off the price and not off the fee, and the tax is that of what is left", () => {
    const priced = price({ type: "percentage", percentBps: 10_000 });
    expect(priced).toMatchObject({
      ok: true,
      value: { totals: { subtotalCents: 50_000, discountCents: 50_000, feeCents: 500, taxCents: 80, totalCents: 500 } },
    });
  });

  it("of an early bird says until when its price may be had, and no other does", () => {
    const untilOf = (code: Parameters<typeof makeDiscount>[0]): unknown => {
      const priced = price(code);
      return priced.ok && priced.value.discounts.map(({ untilMs }) => untilMs);
    };
    const bird = { type: "early_bird", cut: { amountCents: 5 }, firstTickets: 9 } as const;
    expect(untilOf({ ...bird, untilMs: 77 })).toEqual([77]);
    expect(untilOf({ ...bird, untilMs: null })).toEqual([undefined]);
    expect(untilOf({ type: "percentage", percentBps: 100 })).toEqual([undefined]);
  });

  it("says what it took off which line, and how many tickets it made cheaper", () => {
    const priced = price({ type: "bogo", buyQuantity: 1, getQuantity: 1, percentOffBps: 5_000 });
    expect(priced).toMatchObject({
      value: {
        totals: { discountCents: 10_000 },
        discounts: [{ discountId: "id", lines: [{ lineNumber: 1, amountCents: 10_000 }], uses: [{ quantity: 2 }] }],
      },
    });
  });
});

describe("an order whose totals are not the sums of its lines", () => {
  const withFee = new Map([["floor", { name: "Floor", priceCents: 10_000, feeCents: 100, taxRateBps: 1_900 }]]);
  const { lines, totals } = priceBasket(FIVE, withFee, "EUR", { taxRounding: "line", cutsCents: new Map([[0, 7]]) });

  it.each(["subtotalCents", "discountCents", "feeCents", "taxCents", "totalCents"] as const)(
    "is a bug by one cent of %s",
    (key) => {
      expect(() => assertSumOfLines(lines, totals)).not.toThrow();
      expect(() => assertSumOfLines(lines, { ...totals, [key]: totals[key] + 1 })).toThrow("the sum of its lines");
    },
  );

  it("is one, too, when both agree and are no sum themselves", () => {
    const off = Array.from(lines, (each) => ({ ...each, totalCents: each.totalCents + 1 }));
    expect(() => assertSumOfLines(off, { ...totals, totalCents: totals.totalCents + 1 })).toThrow("the sum of its lines");
  });
});
