import { describe, expect, it } from "vitest";
import { isKeptOut } from "#domain/partial-loss";
import { decideNews } from "#domain/payment-news";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "../support/order-story.ts";
import { makePaid, makeRefunded, refundsOf } from "../support/refund-story.ts";

describe("a lost dispute", () => {
  it("takes only what was to be asked for of its own payment, and revives no refund that failed", () => {
    const twice = decideNews(makeRefunded(), makeNews("payment.succeeded", { paymentId: "b" }), 5).record;
    expect(refundsOf(decideNews(twice, makeNews("dispute.lost"), 6).record)).toEqual([
      [500, "succeeded", "requested"],
      [1_000, "created", "paid_twice"],
      [500, "succeeded", "dispute_lost"],
    ]);
    const failed = happen(makeRefunded(), { kind: "answer", status: "failed" }, 5);
    expect(refundsOf(decideNews(failed, makeNews("dispute.lost"), 6).record)).toEqual([
      [500, "failed", "requested"],
      [1_000, "succeeded", "dispute_lost"],
    ]);
  });

  it("leaves no refund of nothing when all the money had gone back before", () => {
    let record = happen(makePaid(), { kind: "refund", command: makeRefundCommand("all") }, 3);
    while (record.step.kind !== "none") record = takeStep(record, false, 4);
    const lost = decideNews(happen(record, { kind: "answer", status: "succeeded" }, 5), makeNews("dispute.lost"), 6).record;
    expect(refundsOf(lost)).toEqual([[1_000, "succeeded", "requested"]]);
  });

  it("over a part of a payment that bought nothing keeps no ticket out", () => {
    const twice = decideNews(makePaid(), makeNews("payment.succeeded", { paymentId: "b" }), 5).record;
    const { record, alert } = decideNews(twice, makeNews("dispute.lost", { paymentId: "b", amountCents: 300 }), 6);
    expect([alert, record.step, isKeptOut(record)]).toEqual(["dispute_lost", { kind: "none" }, false]);
    expect(refundsOf(record)).toEqual([
      [1_000, "failed", "paid_twice"],
      [700, "created", "paid_twice"],
      [300, "succeeded", "dispute_lost"],
    ]);
  });

  it("is over a part as long as the rest pays for the cheapest of the tickets that cost anything", () => {
    const line = { ticketTypeId: "type", name: "Floor", quantity: 1, discountCents: 0, feeCents: 0, taxCents: 0 };
    const lines = [700, 300, 0].map((unitPriceCents, at) => {
      return { ...line, lineNumber: at + 1, unitPriceCents, totalCents: unitPriceCents };
    });
    const paid = takeStep(decideNews(makeOrder({ lines }), makeNews("payment.succeeded"), 1).record, false, 2);
    const alerts = [700, 701].map((amountCents) => decideNews(paid, makeNews("dispute.lost", { amountCents }), 3).alert);
    expect(alerts).toEqual(["dispute_lost_in_part", "dispute_lost"]);
  });
});
