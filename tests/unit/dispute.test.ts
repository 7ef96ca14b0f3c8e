import { describe, expect, it } from "vitest";
import type { OrderRecord } from "#domain/order";
import type { PaymentNews } from "#domain/order-messages";
import { livingTicketIdsOf } from "#domain/order-tickets";
import { isKeptOut } from "#domain/partial-loss";
import { decideNews } from "#domain/payment-news";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "../support/order-story.ts";
import { makePaid, makeRefunded, refundsOf } from "../support/refund-story.ts";

describe("news of a dispute", () => {
  const tell = (record: OrderRecord, type: PaymentNews["type"]) => decideNews(record, makeNews(type), 6);

  it("that is won lets in what its opening kept out, and nothing when it was never heard of", () => {
    const opened = takeStep(tell(makePaid(), "dispute.opened").record, false, 7);
    expect(tell(opened, "dispute.won")).toMatchObject({ alert: null, record: { step: { kind: "unblock" } } });
    expect(tell(makePaid(), "dispute.won")).toMatchObject({ alert: null, record: { step: { kind: "none" } } });
  });

  it("calls a person about tickets that died before it was won, and when it is won after it was lost; not about what is late", () => {
    const dead = takeStep(tell(makeRefunded(), "dispute.opened").record, false, 7);
    const won = tell(dead, "dispute.won");
    expect(won.alert).toBe("dispute_won_but_recalled");
    const settled = takeStep(won.record, false, 8);
    expect([tell(settled, "dispute.won").alert, tell(settled, "dispute.opened").alert]).toEqual([null, null]);
    let lost = tell(makePaid(), "dispute.lost").record;
    while (lost.step.kind !== "none") lost = takeStep(lost, false, 9);
    expect([tell(lost, "dispute.won").alert, tell(lost, "dispute.opened").alert]).toEqual(["dispute_won_after_loss", null]);
  });
});

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

  it("over all of a payment that bought nothing kills no ticket, and names those that it was for otherwise", () => {
    const twice = decideNews(makePaid(), makeNews("payment.succeeded", { paymentId: "b" }), 5).record;
    const lost = decideNews(twice, makeNews("dispute.lost", { paymentId: "b" }), 6).record;
    expect([lost.step, refundsOf(lost)]).toEqual([{ kind: "none" }, [[1_000, "succeeded", "paid_twice"]]]);
    const { refunds, step } = decideNews(makePaid(), makeNews("dispute.lost"), 6).record;
    const ticketIds = livingTicketIdsOf(makePaid());
    expect(refunds).toMatchObject([{ amountCents: 1_000, currency: "EUR", ticketIds }]);
    expect(step).toMatchObject({ kind: "revoke", recall: { ticketIds, restock: true } });
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
    const lines = Array.from([700, 300, 0], (unitPriceCents, at) => {
      return { ...line, lineNumber: at + 1, unitPriceCents, totalCents: unitPriceCents };
    });
    const paid = takeStep(decideNews(makeOrder({ lines }), makeNews("payment.succeeded"), 1).record, false, 2);
    const alerts = [700, 701].map((amountCents) => decideNews(paid, makeNews("dispute.lost", { amountCents }), 3).alert);
    expect(alerts).toEqual(["dispute_lost_in_part", "dispute_lost"]);
  });
});
