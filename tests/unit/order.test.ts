import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedPrefixOf } from "#domain/ids";
import { attachPayment, cancelOrder, expireOrder, firstAnswerOf, viewAt, type OrderRecord } from "#domain/order";
import { dueAtMs } from "#domain/order-due";
import { holdOf } from "#domain/order-holds";
import type { PaymentNews } from "#domain/order-messages";
import { goneCentsOf, nextRefundOf, paidCentsOf } from "#domain/order-payments";
import { firstKeptTicketsOf, passOn, ticketIdOf, ticketsOf } from "#domain/order-tickets";
import { decideNews } from "#domain/payment-news";
import { settleRevoked } from "#domain/recall";
import { settleConfirmed } from "#domain/settlement";
import { ORDER_STATUS_RANK } from "#domain/statuses";
import { PAYMENT_EVENT_TYPES } from "#payments/payment-provider";
import { happen, HOLD_ENDS_MS, makeNews, makeOrder, makeRefundCommand, type Happening } from "../support/order-story.ts";

const PAYMENTS = ["a", "b", "c"] as const;
const money = fc.record({ paymentId: fc.constantFrom(...PAYMENTS), amountCents: fc.constantFrom(1_000, 1_000, 999, 400) });

/** Everything that may happen to an order, in any order: events of three payments, its steps' outcomes, refunds, time. */
const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...PAYMENT_EVENT_TYPES), money).map(toHappening) },
    { weight: 3, arbitrary: fc.boolean().map((soldOut): Happening => ({ kind: "step", soldOut })) },
    fc.constantFrom("submitted", "succeeded", "failed" as const).map((status): Happening => ({ kind: "answer", status })),
    fc.tuple(fc.nat(9), fc.subarray([0, 1])).map(([key, seats]): Happening => {
      const ticketIds = seats.length === 0 ? null : seats.map((seat) => ticketIdOf(makeOrder().view.id, 1, seat));
      return { kind: "refund", command: makeRefundCommand(`key-${key}`, { ticketIds }) };
    }),
    fc.constant<Happening>({ kind: "cancel" }),
    fc.constant<Happening>({ kind: "expire" }),
  ),
  { maxLength: 30 },
);

function toHappening([type, facts]: [PaymentNews["type"], Partial<PaymentNews>]): Happening {
  return { kind: "news", news: makeNews(type, facts) };
}

/** Payments that are the order's or go back because they cannot be. */
function placesOf(record: OrderRecord): readonly string[] {
  const { step, paidBy, refunds } = record;
  const paying = step.kind === "confirm" || step.kind === "give_back" ? step.paid : null;
  const bought = [paidBy, paying].flatMap((paid) => (paid ? [paid.paymentId] : []));
  const sentBack = refunds.filter(({ reason }) => !["requested", "provider", "dispute_lost"].includes(reason));
  return [...bought, ...new Set(sentBack.map(({ paymentId }) => paymentId))];
}

/** What the provider says went back of a payment: of news without an id, each amount once. */
function toldCentsOf(story: readonly Happening[], paymentId: string): number {
  const amounts = story.flatMap((happening) =>
    happening.kind === "news" && happening.news.type === "refund.succeeded" && happening.news.paymentId === paymentId
      ? [happening.news.amountCents]
      : [],
  );
  return [...new Set(amounts)].reduce((sum, amountCents) => sum + amountCents, 0);
}

describe("whatever happens to an order, in whatever order", () => {
  it("its status never falls, each change is a version on, and each payment bought it or is back, never both, never neither", () => {
    fc.assert(
      fc.property(happenings, (story) => {
        let record = makeOrder();
        const arrived = new Set<string>();
        for (const [moment, happening] of story.entries()) {
          const next = happen(record, happening, moment);
          expect(ORDER_STATUS_RANK[next.view.status]).toBeGreaterThanOrEqual(ORDER_STATUS_RANK[record.view.status]);
          if (next.view !== record.view || next.refunds !== record.refunds || next.step !== record.step) {
            expect(next.version).toBeGreaterThan(record.version);
          }
          if (happening.kind === "news" && happening.news.type === "payment.succeeded") arrived.add(happening.news.paymentId);
          record = next;
          expect([...placesOf(record)].toSorted()).toEqual([...arrived].toSorted());
          expect(ticketsOf(record).length > 0).toBe(record.paidBy !== null);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("never gives back more of a payment than came, as long as its provider does not tell so itself", () => {
    fc.assert(
      fc.property(happenings, (story) => {
        let record = makeOrder();
        for (const [moment, happening] of story.entries()) {
          record = happen(record, happening, moment);
          if (record.refunds.some(({ status }) => status === "failed")) return;
          for (const paymentId of PAYMENTS) {
            const key = { provider: "standard", paymentId };
            const paidCents = paidCentsOf(record, key) ?? 0;
            if (toldCentsOf(story, paymentId) <= paidCents) expect(goneCentsOf(record, key)).toBeLessThanOrEqual(paidCents);
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("an event told twice changes nothing of it the second time", () => {
    fc.assert(
      fc.property(happenings, (story) => {
        let record = makeOrder();
        for (const [moment, happening] of story.entries()) {
          record = happen(record, happening, moment);
          if (happening.kind !== "news") continue;
          // While a step is under way the repeat waits, as the first did.
          const again = happen(record, happening, moment + 1);
          const atRest = { waiting: [], waitingSinceMs: 0 };
          expect({ ...again, ...atRest }).toEqual({ ...record, ...atRest });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("the desk looks at it again as long as there is anything to do, and not when there is nothing", () => {
    fc.assert(
      fc.property(happenings, (story) => {
        let record = makeOrder();
        for (const [moment, happening] of story.entries()) record = happen(record, happening, moment);
        const waits = record.step.kind !== "none" || nextRefundOf(record) !== undefined || record.waiting !== undefined;
        const open = record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED";
        expect(dueAtMs(record, 0) !== null).toBe(waits || open);
      }),
    );
  });
});

describe("the desk's patience", () => {
  const confirming = decideNews(makeOrder(), makeNews("payment.succeeded"), 0).record;
  const cancelled = decideNews(makeOrder({ status: "CANCELLED" }), makeNews("payment.succeeded"), 0).record;

  it("tries a step that failed again after 2, 4, 8 … at most 60 s", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 99].map((attempts) => dueAtMs({ ...confirming, attempts }, 500));
    expect(pauses).toEqual([2_500, 4_500, 8_500, 16_500, 32_500, 60_500, 60_500]);
  });

  it("begins anew with each change of the order", () => {
    expect(decideNews({ ...makeOrder(), attempts: 5 }, makeNews("payment.succeeded"), 0).record.attempts).toBe(0);
  });

  it("asks for a refund at once, and then after the same pauses", () => {
    const asked = [0, 1, 2, 3, 99].map((attempts) => dueAtMs({ ...cancelled, attempts }, 500));
    expect(asked).toEqual([500, 2_500, 4_500, 8_500, 60_500]);
  });
});

describe("an order's tickets", () => {
  it("are one per seat with ids of their own that lead back to the order, the same each time", () => {
    const paid = settleConfirmed(decideNews(makeOrder(), makeNews("payment.succeeded"), 5).record, 7);
    const tickets = ticketsOf(paid);
    expect(tickets).toHaveLength(2);
    expect(new Set(tickets.map((ticket) => ticket.id)).size).toBe(2);
    for (const ticket of tickets) {
      expect(sharedPrefixOf(ticket.id)).toBe(sharedPrefixOf(paid.view.id));
      expect(ticket).toMatchObject({ status: "SOLD", ownerUserId: "user", credentialEpoch: 0, createdAtMs: 7 });
    }
    expect(ticketsOf(paid)).toEqual(tickets);
  });

  it("read as cancelled once they are dead, and are the desk's to show until they have changed hands, each by itself", () => {
    const lines = Array.from(makeOrder().view.lines, (line) => ({ ...line, quantity: 3 }));
    const paid = settleConfirmed(decideNews(makeOrder({ lines }), makeNews("payment.succeeded"), 5).record, 7);
    const [first = "", second = "", third = ""] = ticketsOf(paid).map(({ id }) => id);
    const dead = { ...paid, recalled: [second] };
    expect(ticketsOf(dead).map(({ status }) => status)).toEqual(["SOLD", "CANCELLED", "SOLD"]);
    const passed = passOn(passOn(dead, first), third);
    expect(firstKeptTicketsOf([passed], 9).map(({ id }) => id)).toEqual([second]);
    expect(passOn(passed, first)).toBe(passed);
    expect(passOn(dead, "another's")).toBe(dead);
  });

  it("are listed without a look at the orders behind those that fill the list", () => {
    const paid = settleConfirmed(decideNews(makeOrder(), makeNews("payment.succeeded"), 5).record, 7);
    const [first, second] = ticketsOf(paid);
    function* listOrders(orders: readonly OrderRecord[]): Iterable<OrderRecord> {
      yield* orders;
      throw new Error("a user may have ten thousand tickets, each of them a hash");
    }
    const passed = passOn(paid, second?.id ?? "");
    expect(firstKeptTicketsOf(listOrders([makeOrder(), passed, paid]), 2)).toEqual([first, first]);
    expect(firstKeptTicketsOf(listOrders([paid]), 2)).toEqual([first, second]);
  });
});

describe("a hold's end", () => {
  it("is the same moment for the order, its hold and its cancellation, alarm or not", () => {
    const order = makeOrder();
    expect(viewAt(order, HOLD_ENDS_MS - 1).status).toBe("PENDING");
    expect(holdOf(order, HOLD_ENDS_MS - 1).status).toBe("ACTIVE");
    expect(cancelOrder(order, HOLD_ENDS_MS - 1).ok).toBe(true);
    expect(viewAt(order, HOLD_ENDS_MS).status).toBe("EXPIRED");
    expect(holdOf(order, HOLD_ENDS_MS).status).toBe("EXPIRED");
    expect(cancelOrder(order, HOLD_ENDS_MS)).toMatchObject({ failure: { code: "order_not_pending" } });
    expect(dueAtMs(order, 0)).toBe(HOLD_ENDS_MS);
  });

  it("does not expire an order that is being paid", () => {
    const paying = decideNews(makeOrder(), makeNews("payment.succeeded"), 5).record;
    expect(viewAt(paying, HOLD_ENDS_MS).status).toBe("PENDING");
    expect(expireOrder(paying, HOLD_ENDS_MS)).toBe(paying);
  });
});

describe("the payment of an order", () => {
  const payment = {
    provider: "standard",
    paymentId: "a",
    status: "REQUIRES_ACTION",
    action: { type: "redirect", url: "https://pay.test" },
  } as const;

  it("is the first one made, and keeps what the buyer has to do although its news came first", () => {
    const attached = attachPayment(makeOrder({ payment: null }), payment);
    expect(attached.view).toEqual({ ...makeOrder().view, payment });
    for (const other of [{}, { paymentId: "b" }, { action: { type: "none" } as const }]) {
      expect(attachPayment(attached, { ...payment, ...other })).toBe(attached);
    }
    const early = decideNews(makeOrder({ payment: null }), makeNews("payment.succeeded"), 5).record;
    expect(attachPayment(early, payment).view).toEqual({ ...early.view, payment: { ...payment, status: "SUCCEEDED" } });
    expect(attachPayment(early, { ...payment, action: { type: "none" } })).toBe(early);
    expect(attachPayment(early, { ...payment, paymentId: "b" })).toBe(early);
    expect(attachPayment(early, { ...payment, provider: "stripe" })).toBe(early);
    expect(firstAnswerOf(attachPayment(early, payment), 5)).toMatchObject({ status: "PENDING", payment });
  });

  it("reads as it was when the order was placed to whoever asks again, also when the money came and went back", () => {
    const placed = makeOrder();
    const paid = settleConfirmed(decideNews(placed, makeNews("payment.succeeded"), 5).record, 7);
    const refunded = settleRevoked(decideNews(paid, makeNews("refund.succeeded"), 8).record);
    expect(refunded.view).toMatchObject({ status: "REFUNDED", refundedCents: 1_000, payment: { status: "REFUNDED" } });
    expect(firstAnswerOf(refunded, 9)).toEqual(placed.view);
  });

  it("is none of a free order, which reads as settled to whoever asks again, whatever became of it", () => {
    const free = makeOrder({ totalCents: 0, payment: null });
    expect(firstAnswerOf(free, HOLD_ENDS_MS)).toBe(free.view);
    const refunded = happen(settleConfirmed(free, 7), { kind: "refund", command: makeRefundCommand("key") }, 8);
    const over = settleRevoked(refunded);
    expect(over.view).toMatchObject({ status: "REFUNDED", paidAtMs: 7 });
    expect(firstAnswerOf(over, 9)).toEqual({ ...over.view, status: "AWAITING_MINT" });
  });

  it("that nobody was told of yet leaves the order as it reads now", () => {
    expect(firstAnswerOf(makeOrder({ payment: null }), HOLD_ENDS_MS).status).toBe("EXPIRED");
  });

  it("reads as unpaid while the money of another one, which could not buy the order, goes back", () => {
    const { record } = decideNews(makeOrder(), makeNews("payment.succeeded", { paymentId: "b", amountCents: 999 }), 5);
    expect(record.refunds).toMatchObject([{ paymentId: "b", amountCents: 999, status: "created" }]);
    expect(record.view).toEqual(makeOrder().view);
  });

  it("is another one's when two providers use the same id", () => {
    const paid = settleConfirmed(decideNews(makeOrder(), makeNews("payment.succeeded"), 5).record, 7);
    const { record, alert } = decideNews(paid, { ...makeNews("payment.succeeded"), provider: "stripe" }, 8);
    expect(alert).toBe("paid_twice");
    expect(record.refunds).toMatchObject([{ provider: "stripe", paymentId: "a" }]);
  });
});
