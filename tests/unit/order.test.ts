import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deriveId, sharedPrefixOf } from "#domain/ids";
import { attachPayment, cancelOrder, expireOrder, firstAnswerOf, newOrder, viewAt, type OrderRecord } from "#domain/order";
import { dueAtMs } from "#domain/order-due";
import { holdOf } from "#domain/order-holds";
import { ticketsOf } from "#domain/order-tickets";
import type { OrderView, PaymentNews } from "#domain/order-messages";
import { decideNews } from "#domain/payment-news";
import { settleRefund } from "#domain/refund";
import { settleConfirmed, settleGivenBack, settleReleased, settleSoldOut } from "#domain/settlement";
import { ORDER_STATUS_RANK } from "#domain/statuses";

const HOLD_ENDS_MS = 1_000;

function makeOrder(changes: Partial<OrderView> = {}): OrderRecord {
  const line = {
    lineNumber: 1,
    ticketTypeId: "type",
    name: "Floor",
    quantity: 2,
    unitPriceCents: 500,
    discountCents: 0,
    feeCents: 0,
    taxCents: 0,
    totalCents: 1_000,
  };
  const view: OrderView = {
    id: deriveId(1, ["order"]),
    tenantId: "tenant",
    userId: "user",
    eventId: "event",
    orderNumber: "ORD-00000001",
    status: "PENDING",
    currency: "EUR",
    subtotalCents: 1_000,
    discountCents: 0,
    feeCents: 0,
    taxCents: 0,
    totalCents: 1_000,
    lines: [line],
    reservationId: deriveId(1, ["hold"]),
    holdExpiresAtMs: HOLD_ENDS_MS,
    walletAddress: null,
    payment: { provider: "standard", paymentId: "a", status: "REQUIRES_ACTION", action: { type: "redirect" } },
    createdAtMs: 0,
    paidAtMs: null,
    refundedCents: 0,
    ...changes,
  };
  return newOrder(view, "purchase", "hash");
}

function news(type: PaymentNews["type"], paymentId: string, amountCents = 1_000, currency = "EUR"): PaymentNews {
  return {
    provider: "standard",
    eventId: "event",
    type,
    rawType: type,
    occurredAtMs: 0,
    paymentId,
    orderId: "order",
    amountCents,
    currency,
    reason: null,
    refundId: null,
    disputeId: null,
  };
}

/** Everything that may happen to an order, in any order: events of three payments, its steps' outcomes, a cancellation, time. */
type Happening =
  | { readonly kind: "news"; readonly news: PaymentNews }
  | { readonly kind: "step"; readonly soldOut: boolean }
  | { readonly kind: "refund"; readonly status: "submitted" | "succeeded" | "failed" }
  | { readonly kind: "cancel" }
  | { readonly kind: "expire" };

const happenings = fc.array(
  fc.oneof(
    fc
      .tuple(
        fc.constantFrom(
          "payment.succeeded",
          "payment.failed",
          "payment.canceled",
          "refund.succeeded",
          "refund.failed",
          "dispute.opened" as const,
        ),
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom(1_000, 1_000, 999),
      )
      .map(([type, paymentId, amountCents]): Happening => ({ kind: "news", news: news(type, paymentId, amountCents) })),
    fc.boolean().map((soldOut): Happening => ({ kind: "step", soldOut })),
    fc.constantFrom("submitted", "succeeded", "failed" as const).map((status): Happening => ({ kind: "refund", status })),
    fc.constant<Happening>({ kind: "cancel" }),
    fc.constant<Happening>({ kind: "expire" }),
  ),
  { maxLength: 25 },
);

function takeStep(record: OrderRecord, soldOut: boolean, nowMs: number): OrderRecord {
  if (record.step.kind === "confirm")
    return soldOut ? settleSoldOut(record, nowMs % 2 === 0 ? [1] : [], nowMs) : settleConfirmed(record, nowMs);
  return record.step.kind === "give_back" ? settleGivenBack(record, nowMs) : settleReleased(record);
}

function happen(record: OrderRecord, happening: Happening, nowMs: number): OrderRecord {
  switch (happening.kind) {
    case "news":
      return decideNews(record, happening.news, nowMs).record;
    case "step":
      return takeStep(record, happening.soldOut, nowMs);
    case "refund": {
      const refund = record.refunds.find((candidate) => candidate.status === "created");
      return refund ? settleRefund(record, refund.id, happening.status, "provider's") : record;
    }
    case "cancel": {
      const cancelled = cancelOrder(record, nowMs);
      return cancelled.ok ? cancelled.value : record;
    }
    case "expire":
      return expireOrder(record, HOLD_ENDS_MS + nowMs);
  }
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
          if (next !== record) expect(next.version).toBeGreaterThan(record.version);
          if (happening.kind === "news" && happening.news.type === "payment.succeeded") arrived.add(happening.news.paymentId);
          record = next;
          const buying = record.step.kind === "confirm" || record.step.kind === "give_back" ? [record.step.paid] : [];
          const bought = [record.paidBy, ...buying].flatMap((paid) => (paid ? [paid.paymentId] : []));
          const back = record.refunds.map((refund) => refund.paymentId);
          expect([...bought, ...back].toSorted()).toEqual([...arrived].toSorted());
          expect(ticketsOf(record).length > 0).toBe(record.paidBy !== null);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("an event told twice changes nothing the second time", () => {
    fc.assert(
      fc.property(happenings, (story) => {
        let record = makeOrder();
        for (const [moment, happening] of story.entries()) {
          record = happen(record, happening, moment);
          if (happening.kind === "news") expect(happen(record, happening, moment + 1)).toBe(record);
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
        const waits = record.step.kind !== "none" || record.refunds.some((refund) => refund.status === "created");
        const open = record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED";
        expect(dueAtMs(record, 0) !== null).toBe(waits || open);
      }),
    );
  });
});

describe("an order's tickets", () => {
  it("are one per seat with ids of their own that lead back to the order, the same each time", () => {
    const paid = settleConfirmed(decideNews(makeOrder(), news("payment.succeeded", "a"), 5).record, 7);
    const tickets = ticketsOf(paid);
    expect(tickets).toHaveLength(2);
    expect(new Set(tickets.map((ticket) => ticket.id)).size).toBe(2);
    for (const ticket of tickets) {
      expect(sharedPrefixOf(ticket.id)).toBe(sharedPrefixOf(paid.view.id));
      expect(ticket).toMatchObject({ status: "SOLD", ownerUserId: "user", credentialEpoch: 0, createdAtMs: 7 });
    }
    expect(ticketsOf(paid)).toEqual(tickets);
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
    const paying = decideNews(makeOrder(), news("payment.succeeded", "a"), 5).record;
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
    expect(attached.view.payment).toEqual(payment);
    expect(attachPayment(attached, { ...payment, paymentId: "b" })).toBe(attached);
    const early = decideNews(makeOrder({ payment: null }), news("payment.succeeded", "a"), 5).record;
    expect(attachPayment(early, payment).view.payment).toEqual({ ...payment, status: "SUCCEEDED" });
    expect(firstAnswerOf(attachPayment(early, payment), 5)).toMatchObject({ status: "PENDING", payment });
  });

  it("is another one's when two providers use the same id", () => {
    const paid = settleConfirmed(decideNews(makeOrder(), news("payment.succeeded", "a"), 5).record, 7);
    const { record, alert } = decideNews(paid, { ...news("payment.succeeded", "a"), provider: "stripe" }, 8);
    expect(alert).toBe("paid_twice");
    expect(record.refunds).toMatchObject([{ provider: "stripe", paymentId: "a" }]);
  });
});
