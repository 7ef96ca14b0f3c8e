import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromStripeAmount, toStripeAmount } from "#payments/stripe-amount";

describe("an amount means the same money at Stripe", () => {
  test.each([
    ["EUR", 4500, 4500],
    ["JPY", 500, 500],
    ["ISK", 5, 500],
    ["UGX", 5, 500],
    ["MGA", 500, 5],
    ["KWD", 5120, 5120],
    ["HUF", 1045, 1045],
    ["TWD", 1050, 1050],
  ])("of %s: %i of ours is %i of Stripe's", (currency, ours, stripes) => {
    expect(toStripeAmount(ours, currency)).toBe(stripes);
    expect(fromStripeAmount(stripes, currency)).toBe(ours);
  });

  test.each([
    ["a third decimal that card networks do not carry", "KWD", 5124],
    ["a part of a unit that Stripe does not count", "MGA", 550],
    ["a currency that Stripe takes no payments in", "LYD", 1000],
    ["a currency of four decimals", "CLF", 10_000],
    ["a fraction of a minor unit", "EUR", 0.5],
    ["a number past what is exact", "ISK", Number.MAX_SAFE_INTEGER],
  ])("%s is refused and never rounded", (_, currency, amount) => {
    expect(toStripeAmount(amount, currency)).toBeUndefined();
  });

  test.each([
    ["ISK", 550],
    ["UGX", 1],
  ])("an amount in %s that is no whole unit of ours is not guessed at", (currency, amount) => {
    expect(fromStripeAmount(amount, currency)).toBeUndefined();
  });

  test("whatever Stripe takes comes back as the same amount", () => {
    const currencies = fc.constantFrom("EUR", "JPY", "ISK", "UGX", "MGA", "KWD", "TND", "HUF");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99_999_999 }), currencies, (amount, currency) => {
        const stripes = toStripeAmount(amount, currency);
        fc.pre(stripes !== undefined);
        expect(fromStripeAmount(stripes ?? 0, currency)).toBe(amount);
      }),
    );
  });
});
