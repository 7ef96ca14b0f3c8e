import { describe, expect, it } from "vitest";
import type { Discount, DiscountRule } from "#domain/discount";
import { discountStockConfigs, usesOf } from "#domain/discount-stock";
import { LONGEST_HOLD_SECONDS } from "#domain/inventory";
import { makeDiscount } from "../support/make-discount.ts";

const PERCENT: DiscountRule = { type: "percentage", percentBps: 1_000 };
const FIRST_NINE: DiscountRule = { type: "early_bird", cut: { percentBps: 500 }, untilMs: null, firstTickets: 9 };
const UNTIL: DiscountRule = { ...FIRST_NINE, untilMs: 77, firstTickets: null };
/** More than anyone will ever use. */
const PLENTY = 1_000_000_000_000;

function stockOf(discount: Discount, isArchived = false): unknown[] {
  return discountStockConfigs(discount, isArchived).map(({ ticketTypeId, capacity, maxPerUser, status }) => {
    return [ticketTypeId, capacity, maxPerUser, status];
  });
}

describe("the stock of a discount", () => {
  it("is none for a code that anyone may use any number of times", () => {
    expect([PERCENT, UNTIL].flatMap((rule) => stockOf(makeDiscount(rule)))).toEqual([]);
  });

  it("is counted for all, for each buyer, or both; a code that is limited for each buyer alone never runs out", () => {
    const capped = (change: Partial<Discount>): unknown[] => stockOf(makeDiscount(PERCENT, change));
    expect(capped({ maxUses: 5 })).toEqual([["discount-id", 5, null, "ACTIVE"]]);
    expect(capped({ maxUses: 5, maxUsesPerUser: 2 })).toEqual([["discount-id", 5, 2, "ACTIVE"]]);
    expect(capped({ maxUsesPerUser: 2 })).toEqual([["discount-id", PLENTY, 2, "ACTIVE"]]);
  });

  it("counts the first tickets of an early bird apart, and those for all buyers together", () => {
    expect(stockOf(makeDiscount(FIRST_NINE, { maxUsesPerUser: 2 }), true)).toEqual([
      ["discount-id", PLENTY, 2, "ARCHIVED"],
      ["discount-id-first", 9, null, "ARCHIVED"],
    ]);
  });

  it("lets a buyer use any number from one at once, as long as the seats are held", () => {
    const each = { minPerOrder: 1, maxPerOrder: PLENTY, reservationTtlSeconds: LONGEST_HOLD_SECONDS };
    expect(discountStockConfigs(makeDiscount(FIRST_NINE, { maxUses: 5 }), false)).toMatchObject([each, each]);
  });

  it("is used once by an order or once by each ticket, and of an early bird's first tickets always by each ticket", () => {
    const usesBy = (maxUsesUnit: Discount["maxUsesUnit"]): number[] =>
      usesOf(makeDiscount(FIRST_NINE, { maxUses: 5, maxUsesUnit }), 3).map(({ quantity }) => quantity);
    expect([usesBy("orders"), usesBy("tickets")]).toEqual([
      [1, 3],
      [3, 3],
    ]);
  });
});
