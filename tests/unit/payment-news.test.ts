import { describe, expect, it } from "vitest";
import { expireOrder, type OrderRecord } from "#domain/order";
import { dueAtMs, isLongWait, noteLongWait } from "#domain/order-due";
import { PAID_ELSEWHERE } from "#domain/order-money";
import { isForeign } from "#domain/order-payments";
import { decideNews, takeUpWaiting } from "#domain/payment-news";
import { settleConfirmed, settleGivenBack, settleSoldOut } from "#domain/settlement";
import { HOLD_ENDS_MS, makeNews, makeOrder } from "../support/order-story.ts";

/** Paid too late: its money is on the way back. */
const soldOut = settleSoldOut(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record, [], 2);

describe("a payment that comes after its hold ran out", () => {
  /** An order at a price that early birds made, the last of which ends at `untilMs`. */
  function makeEarlyBird(untilMs: number): OrderRecord {
    const bird = { discountId: "bird", lines: [{ lineNumber: 1, amountCents: 100 }], uses: [], untilMs };
    return { ...makeOrder(), discounts: [{ discountId: "other", lines: [], uses: [] }, bird] };
  }
  const pay = (record: OrderRecord, nowMs: number) => decideNews(record, makeNews("payment.succeeded"), nowMs).record;
  const goesBack = { view: { status: "EXPIRED" }, step: { kind: "none" }, refunds: [{ reason: "sold_out_after_expiry" }] };
  const buys = { step: { kind: "confirm" }, refunds: [] };

  it("goes back when an early bird in its price has ended too: nobody may have that price any more", () => {
    expect(pay(makeEarlyBird(HOLD_ENDS_MS + 5), HOLD_ENDS_MS + 5)).toMatchObject(goesBack);
    expect(pay(makeEarlyBird(HOLD_ENDS_MS - 5), HOLD_ENDS_MS)).toMatchObject(goesBack);
  });

  it("buys as long as the early bird goes on, and in time although it has ended", () => {
    expect(pay(makeEarlyBird(HOLD_ENDS_MS + 5), HOLD_ENDS_MS + 4)).toMatchObject(buys);
    expect(pay(makeEarlyBird(HOLD_ENDS_MS - 5), HOLD_ENDS_MS - 1)).toMatchObject(buys);
  });

  it("buys whatever other discount is in its price", () => {
    const { discounts: [other] = [], ...order } = makeEarlyBird(0);
    expect(pay({ ...order, discounts: other ? [other] : [] }, HOLD_ENDS_MS + 5)).toMatchObject(buys);
  });

  it("never buys a free order whose stock was gone, not even with nothing", () => {
    const free = makeOrder({ totalCents: 0, payment: null });
    const over = settleGivenBack(settleSoldOut(free, [1], HOLD_ENDS_MS), HOLD_ENDS_MS);
    const { record } = decideNews(over, makeNews("payment.succeeded", { amountCents: 0 }), HOLD_ENDS_MS);
    expect(record).toMatchObject({ view: { status: "EXPIRED" }, step: { kind: "none" } });
  });
});

describe("a payment", () => {
  it.each([{ amountCents: 999 }, { amountCents: 1_001 }, { currency: "USD" }])(
    "of %j instead goes back whole, and calls a person",
    (other) => {
      const { record, alert } = decideNews(makeOrder(), makeNews("payment.succeeded", other), 1);
      expect(alert).toBe("amount_mismatch");
      expect(record).toMatchObject({ step: { kind: "none" }, refunds: [{ reason: "amount_mismatch", ...other }] });
    },
  );

  it("that buys the order instead of the one it had is its payment from then on", () => {
    for (const payment of [makeOrder().view.payment, null]) {
      const { record } = decideNews(makeOrder({ payment }), makeNews("payment.succeeded", { paymentId: "b" }), 1);
      const paid = { provider: "standard", paymentId: "b" };
      expect(record.step).toMatchObject({ kind: "confirm", paid });
      expect(record.view.payment).toEqual({ ...paid, status: "SUCCEEDED", action: { type: "none" } });
    }
  });

  it("that is told again while what was sold for it is put back on sale is not sent back twice", () => {
    const givingBack = settleSoldOut(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record, [1], 2);
    const again = decideNews(givingBack, makeNews("payment.succeeded", { eventId: "again" }), 3);
    expect(again).toEqual({ record: givingBack, outcome: "ignored", alert: null });
  });

  it.each([
    ["was cancelled", makeOrder({ status: "CANCELLED" }), "order_cancelled"],
    ["found its stock gone", soldOut, "sold_out_after_expiry"],
  ])("of an order that %s goes back for that reason, and no person need look", (_, order, reason) => {
    const { record, alert } = decideNews(order, makeNews("payment.succeeded", { paymentId: "late" }), 9);
    expect([alert, record.refunds.at(-1)]).toMatchObject([null, { reason, paymentId: "late", amountCents: 1_000 }]);
  });
});

describe("news that a payment failed", () => {
  const failed = (changes = {}) => makeNews("payment.failed", changes);

  it("changes nothing when it is of another payment than the order's, and counts when the order's is not known yet", () => {
    const order = makeOrder();
    expect(decideNews(order, failed({ paymentId: "b" }), 1)).toEqual({ record: order, outcome: "ignored", alert: null });
    const early = decideNews(makeOrder({ payment: null }), failed(), 1);
    expect([early.outcome, early.record.view.status]).toEqual(["applied", "PAYMENT_FAILED"]);
    const other = decideNews(order, makeNews("payment.succeeded", { paymentId: "b", amountCents: 999 }), 1).record;
    expect(decideNews(other, failed(), 2).record.view.status).toBe("PAYMENT_FAILED");
  });

  it("changes nothing when its money came and is on its way back", () => {
    const wrong = decideNews(makeOrder(), makeNews("payment.succeeded", { amountCents: 999 }), 1).record;
    expect(decideNews(wrong, failed(), 2)).toEqual({ record: wrong, outcome: "ignored", alert: null });
  });
});

describe("news that must wait", () => {
  it("waits once, however often it is told, and apart from another provider's with the same id", () => {
    const news = makeNews("refund.succeeded", { refundId: "r" });
    const waits = decideNews(makeOrder(), news, 1).record;
    expect(decideNews(waits, news, 2)).toEqual({ record: waits, outcome: "recorded", alert: null });
    const both = decideNews(waits, { ...news, provider: "stripe" }, 3).record;
    expect(both.waiting?.map(({ provider }) => provider)).toEqual(["standard", "stripe"]);
    expect(both.waitingSinceMs).toBe(1);
  });

  it("calls a person once, when it has waited for a day to the millisecond, and not when its wait ended in time", () => {
    const waits = decideNews(makeOrder(), makeNews("refund.succeeded", { refundId: "r" }), 1).record;
    const callMs = 1 + 24 * 3_600_000;
    expect(dueAtMs(expireOrder(waits, HOLD_ENDS_MS), HOLD_ENDS_MS)).toBe(callMs);
    expect(noteLongWait(waits, callMs - 1)).toBe(waits);
    const noted = noteLongWait(waits, callMs);
    expect(isLongWait(waits, noted)).toBe(true);
    for (const before of [waits, noted, undefined]) expect(isLongWait(before, before ?? noted)).toBe(false);
    expect(noteLongWait(noted, 2 * callMs)).toBe(noted);
    const paid = settleConfirmed(decideNews(waits, makeNews("payment.succeeded"), 5).record, 6);
    const { record, takenUp } = takeUpWaiting(paid, 7);
    expect([takenUp.length, isLongWait(paid, record)]).toEqual([1, false]);
  });
});

describe("an event of another provider", () => {
  const stripe = (changes = {}) => ({ ...makeNews("payment.succeeded", changes), provider: "stripe" });

  it("cannot be about an order whose payment has its id, but may be about one with another, or one that was paid elsewhere", () => {
    expect(isForeign(makeOrder(), stripe())).toBe(true);
    expect(isForeign(makeOrder(), stripe({ paymentId: "b" }))).toBe(false);
    expect(isForeign(makeOrder({ payment: null }), stripe())).toBe(false);
    const { payment } = makeOrder().view;
    const elsewhere = makeOrder({ payment: payment && { ...payment, provider: PAID_ELSEWHERE } });
    expect(isForeign(elsewhere, stripe())).toBe(false);
  });
});
