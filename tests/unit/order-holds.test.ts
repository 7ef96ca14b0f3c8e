import { describe, expect, it } from "vitest";
import { holdsOf, ownHoldIdOf, seatsOf, sharedHoldTimeOf } from "#domain/order-holds";
import { ticketIdOf } from "#domain/order-tickets";
import { makeOrder } from "../support/order-story.ts";

/** An order of two tickets of one type and one of another. */
const [line] = makeOrder().view.lines;
const lines = line ? [line, { ...line, lineNumber: 2, ticketTypeId: "type-2", quantity: 1 }] : [];
const order = makeOrder({ lines });
const { id, reservationId } = order.view;
const floor = { number: 1, stockName: "type-1", reservationId, quantity: 2 };
const balcony = { number: 2, stockName: "type-2", reservationId, quantity: 1 };

describe("what is held for an order", () => {
  it("is held as long as the type that is held shortest, so that no seat outlives the order; one type alone knows itself", () => {
    const types = new Map(
      [60, 5, 600].map((reservationTtlSeconds) => [`${reservationTtlSeconds} s`, { reservationTtlSeconds }]),
    );
    const basket = [...types.keys()].map((ticketTypeId) => ({ ticketTypeId, quantity: 1 }));
    expect(sharedHoldTimeOf(basket, types)).toEqual({ holdMs: 5_000 });
    expect(sharedHoldTimeOf(basket.slice(0, 2), types)).toEqual({ holdMs: 5_000 });
    expect(sharedHoldTimeOf(basket.slice(0, 1), types)).toEqual({});
    expect(() => sharedHoldTimeOf([...basket, { ticketTypeId: "unknown", quantity: 1 }], types)).toThrow("unknown");
  });

  it("is its seats, and behind them its discounts' uses, each under a number of its own", () => {
    expect(holdsOf(order)).toEqual([floor, balcony]);
    const uses = ["one", "two"].map((stockName) => ({ discountCode: "CODE", stockName, quantity: 3 }));
    const discounts = uses.map((use) => ({ discountId: "id", lines: [], uses: [use] }));
    const own = { reservationId: ownHoldIdOf(id), quantity: 3 };
    expect(holdsOf({ ...order, discounts })).toEqual([
      floor,
      balcony,
      { number: 3, stockName: "one", ...own },
      { number: 4, stockName: "two", ...own },
    ]);
  });

  it("has as many seats of each type as there are tickets to give back, and none of the others", () => {
    const ticketIds = [0, 1].map((position) => ticketIdOf(id, 1, position));
    expect(seatsOf(order, ticketIds.slice(1))).toEqual([{ ...floor, quantity: 1 }]);
    expect(seatsOf(order, [...ticketIds, ticketIdOf(id, 2, 0)])).toEqual([floor, balcony]);
    expect(seatsOf(order, ["another order's"])).toEqual([]);
  });
});
