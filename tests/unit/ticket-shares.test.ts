import fc from "fast-check";
import { expect, it } from "vitest";
import type { OrderLine } from "#domain/order-messages";
import { ticketSharesOf } from "#domain/ticket-shares";
import { makeOrder } from "../support/order-story.ts";

const line = fc.record({ quantity: fc.integer({ min: 1, max: 100 }), totalCents: fc.nat(10_000_000) });

function toLines(drawn: readonly { quantity: number; totalCents: number }[]): readonly OrderLine[] {
  return drawn.map(({ quantity, totalCents }, at) => {
    const money = { unitPriceCents: 0, discountCents: 0, feeCents: 0, taxCents: 0, totalCents };
    return { lineNumber: at + 1, ticketTypeId: `type-${at}`, name: "Floor", quantity, ...money };
  });
}

it("tickets paid back one by one give back to the cent what the order has cost, and no ticket a cent more than the next", () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (drawn) => {
      const { view } = makeOrder({ lines: toLines(drawn) });
      const shares = ticketSharesOf(view);
      expect(new Set(shares.map(({ ticketId }) => ticketId)).size).toBe(shares.length);
      for (const { lineNumber, quantity, totalCents } of view.lines) {
        const own = shares.filter((share) => share.lineNumber === lineNumber).map(({ amountCents }) => amountCents);
        expect(own).toHaveLength(quantity);
        expect(own.reduce((sum, amount) => sum + amount, 0)).toBe(totalCents);
        expect(own).toEqual(own.toSorted((one, other) => other - one)); // the odd units go to the first
        expect((own[0] ?? 0) - (own.at(-1) ?? 0)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

it("ten euros over three tickets are 3.34, 3.33 and 3.33", () => {
  const shares = ticketSharesOf(makeOrder({ lines: toLines([{ quantity: 3, totalCents: 1_000 }]) }).view);
  expect(shares.map(({ amountCents }) => amountCents)).toEqual([334, 333, 333]);
});
