import { describe, expect, it } from "vitest";
import type { OrderRecord } from "#domain/order";
import type { PaymentNews } from "#domain/order-messages";
import { nextRefundOf } from "#domain/order-payments";
import { decideNews } from "#domain/payment-news";
import { settleRefund } from "#domain/refund";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "../support/order-story.ts";
import { makePaid, makeRefunded, refundsOf, tell } from "../support/refund-story.ts";

describe("news of a refund that is not ours by its id", () => {
  it("is about ours when it has its amount, because the provider's answer with the id may have been lost", () => {
    const { record, outcome, alert } = tell(makeRefunded(), { amountCents: 500, refundId: "theirs" });
    expect([outcome, alert, refundsOf(record)]).toEqual(["applied", null, [[500, "succeeded", "requested"]]]);
    expect(tell(record, { amountCents: 500, refundId: "theirs", eventId: "again" })).toMatchObject({
      record,
      outcome: "ignored",
    });
  });

  it("is about one that is open rather than about one that failed, and else about that", () => {
    const failed = happen(makeRefunded(), { kind: "answer", status: "failed" }, 5);
    expect(refundsOf(tell(failed, { amountCents: 500 }).record)).toEqual([[500, "succeeded", "requested"]]);
    const again = { kind: "refund", command: makeRefundCommand("two", { ticketIds: failed.recalled ?? [] }) } as const;
    expect(refundsOf(tell(happen(failed, again, 6), { amountCents: 500 }).record)).toEqual([
      [500, "failed", "requested"],
      [500, "succeeded", "requested"],
    ]);
  });

  it("is about ours that the provider knows by another id only when it has no id itself", () => {
    const taken = happen(makeRefunded(), { kind: "answer", status: "submitted" }, 5);
    expect(refundsOf(tell(taken, { amountCents: 500 }).record)).toEqual([[500, "succeeded", "requested"]]);
    expect(refundsOf(tell(taken, { amountCents: 500, refundId: "another" }).record)).toEqual([
      [500, "submitted", "requested"],
      [500, "succeeded", "provider"],
    ]);
  });

  it("is another one when its id or, without one, its amount is another", () => {
    const booked = [300, 300, 200].map((amountCents) => [amountCents, "succeeded", "provider"]);
    const named = tell(tell(makePaid(), { amountCents: 300, refundId: "one" }).record, { amountCents: 300, refundId: "two" });
    expect(refundsOf(tell(named.record, { amountCents: 200 }).record)).toEqual(booked);
  });

  it("kills the tickets when it was all of the payment, although ours over a part was done before", () => {
    const done = happen(makeRefunded(), { kind: "answer", status: "succeeded" }, 5);
    const { record, alert } = tell(done, { amountCents: 1_000, refundId: "theirs" });
    expect([alert, record.step.kind]).toEqual(["refund_unknown", "revoke"]);
  });

  it("is not counted a second time when it has no id and its amount went back before, so that no other ticket dies of it", () => {
    const { record } = tell(makeRefunded(), { amountCents: 500 });
    expect(tell(record, { amountCents: 500, eventId: "anew" })).toEqual({
      record,
      outcome: "ignored",
      alert: "refund_unknown",
    });
  });

  it("leaves ours unasked when all the money went back at the provider before: it is not there any more", () => {
    const { record, alert } = tell(makeRefunded(), { amountCents: 1_000, refundId: "theirs" });
    expect(refundsOf(record)).toEqual([
      [500, "failed", "requested"],
      [1_000, "succeeded", "provider"],
    ]);
    expect(nextRefundOf(record)).toBeUndefined();
    expect(record).toMatchObject({ step: { kind: "revoke" }, view: { refundedCents: 1_000, payment: { status: "REFUNDED" } } });
    expect(alert).toBeNull();
  });

  it("is asked for anew over what is missing when it left less at the provider than ours, so that nobody's money stays there", () => {
    const { record } = tell(makeRefunded(), { amountCents: 700, refundId: "theirs" });
    expect(refundsOf(record)).toEqual([
      [500, "failed", "requested"],
      [300, "created", "requested"],
      [700, "succeeded", "provider"],
    ]);
    expect(new Set(record.refunds.map(({ id }) => id)).size).toBe(3);
    expect(record.view.refundedCents).toBe(1_000);
  });

  it("kills no ticket while more is said to be gone than came: one of ours has failed then, and its news is late", () => {
    const taken = happen(makeRefunded(), { kind: "answer", status: "submitted" }, 5);
    const { record: early, alert } = tell(taken, { amountCents: 700, refundId: "theirs" });
    expect([alert, early.step.kind, early.view.refundedCents]).toEqual(["refund_unknown", "none", 1_000]);
    const failed = makeNews("refund.failed", { amountCents: 500, refundId: taken.refunds[0]?.id ?? null });
    const record = happen(early, { kind: "news", news: failed }, 7);
    expect(refundsOf(record)).toEqual([
      [500, "failed", "requested"],
      [700, "succeeded", "provider"],
    ]);
    expect([record.step.kind, record.view.refundedCents]).toEqual(["none", 700]);
  });

  it("gives up what was not asked for yet only when it is clear what is left", () => {
    const all = happen(makeRefunded(), { kind: "answer", status: "submitted" }, 5);
    const both = happen(all, { kind: "refund", command: makeRefundCommand("two") }, 6);
    let record = both;
    while (record.step.kind !== "none") record = takeStep(record, false, 7);
    record = tell(record, { amountCents: 700, refundId: "theirs" }).record;
    expect(refundsOf(record)[1]).toEqual([500, "created", "requested"]);
    const failed = makeNews("refund.failed", { amountCents: 500, refundId: both.refunds[0]?.id ?? null });
    expect(refundsOf(happen(record, { kind: "news", news: failed }, 8))).toEqual([
      [500, "failed", "requested"],
      [500, "failed", "requested"],
      [300, "created", "requested"],
      [700, "succeeded", "provider"],
    ]);
  });

  it("shows no more as gone than the payment has brought, and calls a person when its provider tells of more", () => {
    const { record, alert } = tell(makeRefunded(), { amountCents: 5_000, refundId: "theirs" });
    expect([alert, record.step.kind, record.view.refundedCents]).toEqual(["refund_unknown", "revoke", 1_000]);
    expect(tell(record, { amountCents: 1, refundId: "more" })).toMatchObject({ outcome: "recorded" }); // it waits for the step
    const dead = takeStep(takeStep(record, false, 10), false, 11);
    const more = tell(dead, { amountCents: 1, refundId: "more" });
    expect([more.alert, more.record.step.kind, more.record.view.refundedCents]).toEqual(["refund_unknown", "none", 1_000]);
  });

  it("is not booked when it is over nothing, or says of a refund without an id that it failed", () => {
    const record = makeRefunded();
    for (const type of ["refund.succeeded", "refund.failed"] as const) {
      const nothing = makeNews(type, { amountCents: 0, refundId: "theirs" });
      expect(decideNews(record, nothing, 9)).toMatchObject({ record, outcome: "ignored" });
    }
    expect(decideNews(record, makeNews("refund.failed", { amountCents: 3 }), 9)).toMatchObject({ record, outcome: "ignored" });
  });
});

describe("a refund made at the provider that the buyer's bank sent back", () => {
  const whole = { amountCents: 1_000, refundId: "theirs" };
  const done = makeNews("refund.succeeded", { ...whole, occurredAtMs: 5 });
  const failed = makeNews("refund.failed", { ...whole, occurredAtMs: 6 });
  const paid = (): OrderRecord => takeStep(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record, false, 2);

  it("never took anything when the news that it failed comes first: the tickets live", () => {
    const first = decideNews(paid(), failed, 7);
    expect([first.outcome, first.alert, refundsOf(first.record)]).toEqual(["applied", null, [[1_000, "failed", "provider"]]]);
    expect(decideNews(first.record, done, 8)).toMatchObject({ record: first.record, outcome: "ignored", alert: null });
    expect(first.record).toMatchObject({
      step: { kind: "none" },
      view: { refundedCents: 0, payment: { status: "SUCCEEDED" } },
    });
  });

  it("calls a person when it comes last: what died of it stays dead, and its money is here", () => {
    let record = decideNews(paid(), done, 7).record;
    while (record.step.kind !== "none") record = takeStep(record, false, 8);
    const late = decideNews(record, failed, 9);
    expect([late.alert, refundsOf(late.record)]).toEqual(["refund_failed", [[1_000, "failed", "provider"]]]);
    expect(late.record.view).toMatchObject({ status: "REFUNDED", refundedCents: 0, payment: { status: "SUCCEEDED" } });
  });

  it("kills the tickets when it was done after all", () => {
    const again = makeNews("refund.succeeded", { ...whole, occurredAtMs: 7, eventId: "again" });
    const { record } = decideNews(decideNews(paid(), failed, 7).record, again, 8);
    expect(record).toMatchObject({ step: { kind: "revoke" }, view: { refundedCents: 1_000 } });
  });
});

describe("a refund that was done and fails weeks later", () => {
  /** Ours, by its own id: done when it was asked for, as a card's is. */
  function makeDone(): { readonly record: OrderRecord; readonly refundId: string } {
    const record = happen(makeRefunded(), { kind: "answer", status: "succeeded" }, 5);
    return { record, refundId: record.refunds[0]?.id ?? "" };
  }
  const failed = (changes: Partial<PaymentNews>): PaymentNews => makeNews("refund.failed", { amountCents: 500, ...changes });

  it("has failed, calls a person and can be paid again: its buyer has no money", () => {
    const { record, refundId } = makeDone();
    const { record: late, outcome, alert } = decideNews(record, failed({ refundId, occurredAtMs: 9 }), 9);
    expect([outcome, alert, refundsOf(late)]).toEqual(["applied", "refund_failed", [[500, "failed", "requested"]]]);
    expect(late.view.refundedCents).toBe(0);
    const again = { kind: "refund", command: makeRefundCommand("two", { ticketIds: record.recalled ?? [] }) } as const;
    expect(refundsOf(happen(late, again, 10))).toEqual([
      [500, "failed", "requested"],
      [500, "created", "requested"],
    ]);
  });

  it("stays failed when the older news that it was done comes after, and is done when that is the newer", () => {
    const { record, refundId } = makeDone();
    const { record: late } = decideNews(record, failed({ refundId, occurredAtMs: 9 }), 9);
    expect(tell(late, { amountCents: 500, refundId, occurredAtMs: 8 })).toMatchObject({ record: late, outcome: "ignored" });
    const done = tell(late, { amountCents: 500, refundId, occurredAtMs: 10 });
    expect(refundsOf(done.record)).toEqual([[500, "succeeded", "requested"]]);
    expect(decideNews(done.record, failed({ refundId, occurredAtMs: 9 }), 11)).toMatchObject({
      outcome: "ignored",
      alert: null,
    });
  });

  it("has failed when both are said of the same moment, in whatever order they come", () => {
    const { record, refundId } = makeDone();
    const done = tell(record, { amountCents: 500, refundId, occurredAtMs: 9 }).record;
    const late = decideNews(done, failed({ refundId, occurredAtMs: 9 }), 9).record;
    expect(refundsOf(late)).toEqual([[500, "failed", "requested"]]);
    expect(tell(late, { amountCents: 500, refundId, occurredAtMs: 9 })).toMatchObject({ record: late, outcome: "ignored" });
  });

  it("stays done when it was said to be done again later than it was said to have failed", () => {
    const { record, refundId } = makeDone();
    const told = [9, 12].reduce(
      (order, occurredAtMs) => tell(order, { amountCents: 500, refundId, occurredAtMs }).record,
      record,
    );
    expect(decideNews(told, failed({ refundId, occurredAtMs: 11 }), 13)).toEqual({
      record: told,
      outcome: "ignored",
      alert: null,
    });
  });

  it("calls a person and stays as it is when the news has no id: it may be about another", () => {
    const { record } = makeDone();
    expect(decideNews(record, failed({}), 9)).toEqual({ record, outcome: "ignored", alert: "refund_failed" });
  });

  it("is known by the provider's id, too, when an event with ours came before the provider's answer", () => {
    const refunded = makeRefunded();
    const told = tell(refunded, { amountCents: 500, refundId: refunded.refunds[0]?.id ?? null }).record;
    const answered = settleRefund(told, told.refunds[0]?.id ?? "", "submitted", "theirs");
    expect(refundsOf(answered)).toEqual([[500, "succeeded", "requested"]]);
    expect(tell(answered, { amountCents: 500, refundId: "theirs" })).toMatchObject({ record: answered, outcome: "ignored" });
  });
});
