import { describe, expect, it } from "vitest";
import { cancelOrder, type OrderRecord } from "#domain/order";
import { decideNews } from "#domain/payment-news";
import { settleBlocked, settleRestocked, settleRevoked } from "#domain/recall";
import { settleConfirmed, settleGivenBack, settleReleased, settleSoldOut } from "#domain/settlement";
import { happen, makeNews, makeOrder, makeRefundCommand } from "../support/order-story.ts";

const open = makeOrder();
const paying = decideNews(open, makeNews("payment.succeeded"), 1).record;
const paid = settleConfirmed(paying, 2);
const cancelled = cancelOrder(open, 1);
const refunded = happen(paid, { kind: "refund", command: makeRefundCommand("all") }, 3);
const disputed = happen(paid, { kind: "news", news: makeNews("dispute.opened") }, 3);

/** An order at each step that a desk takes. */
const AT_STEPS: readonly OrderRecord[] = [
  open,
  paying,
  settleSoldOut(paying, [1], 2),
  cancelled.ok ? cancelled.value : open,
  refunded,
  settleRevoked(refunded),
  disputed,
  happen({ ...disputed, step: { kind: "none" } }, { kind: "news", news: makeNews("dispute.won") }, 4),
];

const SETTLED_AT: Readonly<Record<string, (record: OrderRecord) => OrderRecord>> = {
  "confirm, sold": (record) => settleConfirmed(record, 9),
  "confirm, sold out": (record) => settleSoldOut(record, [1], 9),
  give_back: (record) => settleGivenBack(record, 9),
  release: settleReleased,
  revoke: settleRevoked,
  restock: settleRestocked,
  "block, unblock": settleBlocked,
};

describe("what has become of an order's step", () => {
  it.each(Object.entries(SETTLED_AT))("%s: is taken at that step, and changes nothing at any other", (steps, settle) => {
    const taken = AT_STEPS.filter((record) => settle(record) !== record).map(({ step }) => step.kind);
    expect(taken).toEqual(steps.replace(/, sold.*/, "").split(", "));
  });

  it.each([[[]], [[1]]])(
    "leaves a free order whose stock is gone expired, with nothing to pay back (%j sold before)",
    (soldLines) => {
      const free = makeOrder({ totalCents: 0, payment: null });
      const over = settleGivenBack(settleSoldOut(free, soldLines, 9), 9);
      expect(over).toMatchObject({ view: { status: "EXPIRED" }, step: { kind: "none" }, refunds: [] });
    },
  );
});
