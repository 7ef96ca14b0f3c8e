import { describe, expect, it } from "vitest";
import { nextRefundOf, paidCentsOf } from "#domain/order-payments";
import { ticketIdOf } from "#domain/order-tickets";
import { decideNews } from "#domain/payment-news";
import { settleRefund } from "#domain/refund";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "../support/order-story.ts";
import { makePaid, makeRefunded, refundsOf, tell } from "../support/refund-story.ts";

describe("refunds that are asked for", () => {
  it("are made of the payment that bought the tickets while a second one, which goes back, is disputed", () => {
    const twice = decideNews(makePaid(), makeNews("payment.succeeded", { paymentId: "b" }), 3).record;
    const disputed = decideNews(twice, makeNews("dispute.opened", { paymentId: "b" }), 4).record;
    expect(disputed).toMatchObject({ step: { kind: "none" }, view: { payment: { paymentId: "a", status: "SUCCEEDED" } } });
    const record = happen(disputed, { kind: "refund", command: makeRefundCommand("one") }, 5);
    expect(record.refunds).toMatchObject([{ paymentId: "b" }, { paymentId: "a", amountCents: 1_000, status: "created" }]);
    expect(nextRefundOf(record)).toMatchObject({ paymentId: "a" });
  });

  it("ask together for no more than is there when some of it went back at the provider", () => {
    const [, second = ""] = [0, 1].map((position) => ticketIdOf(makeOrder().view.id, 1, position));
    const both = happen(makeRefunded(), { kind: "refund", command: makeRefundCommand("two", { ticketIds: [second] }) }, 5);
    let record = both;
    while (record.step.kind !== "none") record = takeStep(record, false, 6);
    const told = tell(record, { amountCents: 300, refundId: "theirs" }).record;
    expect(refundsOf(told)).toEqual([
      [500, "created", "requested"],
      [500, "failed", "requested"],
      [200, "created", "requested"],
      [300, "succeeded", "provider"],
    ]);
  });

  it("are left alone when money of another payment went back at the provider", () => {
    const twice = decideNews(makeRefunded(), makeNews("payment.succeeded", { paymentId: "b" }), 5).record;
    const told = tell(twice, { amountCents: 700, refundId: "theirs", paymentId: "b" }).record;
    expect(refundsOf(told)).toEqual([
      [500, "created", "requested"],
      [1_000, "failed", "paid_twice"],
      [300, "created", "paid_twice"],
      [700, "succeeded", "provider"],
    ]);
    expect(told.step).toEqual({ kind: "none" });
    expect(paidCentsOf(told, { provider: "standard", paymentId: "b" })).toBe(1_000);
    expect(refundsOf(tell(twice, { amountCents: 500, paymentId: "b" }).record)[0]).toEqual([500, "created", "requested"]);
  });

  it("move on by their own answer, and not by an answer that is older than the provider's news", () => {
    const twice = decideNews(makeRefunded(), makeNews("payment.succeeded", { paymentId: "b" }), 5).record;
    const [first, second] = twice.refunds.map(({ id }) => id);
    const answered = settleRefund(twice, second ?? "", "succeeded", "theirs");
    expect(refundsOf(answered)).toEqual([
      [500, "created", "requested"],
      [1_000, "succeeded", "paid_twice"],
    ]);
    expect(settleRefund(twice, "of another order", "succeeded", "theirs")).toBe(twice);
    const failed = decideNews(twice, makeNews("refund.failed", { amountCents: 500, refundId: first ?? "" }), 6).record;
    expect(refundsOf(settleRefund(failed, first ?? "", "succeeded", "theirs"))[0]).toEqual([500, "failed", "requested"]);
    expect(settleRefund(answered, second ?? "", "failed", "another's")).toBe(answered);
    expect(answered.view).toMatchObject({ refundedCents: 500, payment: { paymentId: "a", status: "SUCCEEDED" } });
  });

  it("take turns while one is refused, so that it does not hold up another payment's", () => {
    const twice = happen(makeRefunded(), { kind: "news", news: makeNews("payment.succeeded", { paymentId: "twice" }) }, 5);
    const [first, second] = twice.refunds;
    const asked = [0, 1, 2].map((attempts) => nextRefundOf({ ...twice, attempts })?.id);
    expect(asked).toEqual([first?.id, second?.id, first?.id]);
  });
});
