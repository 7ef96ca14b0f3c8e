import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { containedTaxCents, priceBasket, type PricedType } from "#domain/pricing";

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
      fc.property(fc.nat(1_000_000_000), fc.nat(10_000), (grossCents, taxRateBps) => {
        const divisor = BigInt(10_000 + taxRateBps);
        const exact = (2n * BigInt(grossCents) * BigInt(taxRateBps) + divisor) / (2n * divisor);
        expect(BigInt(containedTaxCents(grossCents, taxRateBps))).toBe(exact);
      }),
    );
  });
});
