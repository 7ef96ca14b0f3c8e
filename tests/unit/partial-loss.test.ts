import { describe, expect, it } from "vitest";
import type { OrderRecord } from "#domain/order";
import { nextRefundOf } from "#domain/order-payments";
import { ticketIdOf } from "#domain/order-tickets";
import { isKeptOut, unnamedLossCentsOf } from "#domain/partial-loss";
import { decideNews } from "#domain/payment-news";
import { happen, makeNews, makeOrder, makeRefundCommand, takeStep } from "../support/order-story.ts";

const [first = "", second = ""] = [0, 1].map((position) => ticketIdOf(makeOrder().view.id, 1, position));

function settle(record: OrderRecord): OrderRecord {
  let current = record;
  while (current.step.kind !== "none") current = takeStep(current, false, 9);
  return current;
}

/** A paid order of two tickets for 5.00 each, of which a bank has taken `amountCents`. */
function makeLost(amountCents: number): OrderRecord {
  const paid = settle(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record);
  return settle(decideNews(paid, makeNews("dispute.lost", { amountCents }), 3).record);
}

function name(record: OrderRecord, ticketIds: readonly string[] | null, key = "one"): OrderRecord {
  return happen(record, { kind: "refund", command: makeRefundCommand(key, { ticketIds }) }, 5);
}

function refundsOf({ refunds }: OrderRecord): unknown[] {
  return refunds.map(({ amountCents, status, reason, ticketIds }) => [amountCents, status, reason, ticketIds]);
}

describe("a dispute that was lost over a part of the payment", () => {
  it("kills no ticket, because nobody says which it was for: all are refused, and a person is called", () => {
    const paid = settle(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record);
    const { record, alert } = decideNews(paid, makeNews("dispute.lost", { amountCents: 500 }), 3);
    expect([alert, record.step]).toEqual(["dispute_lost_in_part", { kind: "block", ticketIds: [first, second] }]);
    expect(refundsOf(record)).toEqual([[500, "succeeded", "dispute_lost", []]]);
    expect(record.view).toMatchObject({ status: "AWAITING_MINT", refundedCents: 500, payment: { status: "DISPUTED" } });
  });

  it("lets the others in once its tickets are named, and asks the provider for nothing that the bank has paid", () => {
    const dead = name(makeLost(500), [second]);
    expect(dead.step).toMatchObject({ kind: "revoke", recall: { ticketIds: [second] } });
    expect(refundsOf(dead)).toEqual([[500, "succeeded", "dispute_lost", [second]]]);
    const restocked = takeStep(dead, false, 6);
    expect(takeStep(restocked, false, 7).step).toEqual({ kind: "unblock", ticketIds: [first] });
    expect([isKeptOut(settle(dead)), nextRefundOf(settle(dead))]).toEqual([false, undefined]);
  });

  it("asks the provider for what the named tickets have cost beyond it", () => {
    expect(refundsOf(name(makeLost(300), [first]))).toEqual([
      [300, "succeeded", "dispute_lost", [first]],
      [200, "created", "requested", [first]],
    ]);
    expect(refundsOf(name(makeLost(300), null)).slice(1)).toEqual([[700, "created", "requested", [first, second]]]);
  });

  it("was for the tickets that were named for it, and for none that the provider is asked to pay", () => {
    const all = name(settle(name(makeLost(500), [first])), [second], "two");
    expect(refundsOf(all)).toEqual([
      [500, "succeeded", "dispute_lost", [first]],
      [500, "created", "requested", [second]],
    ]);
  });

  it("keeps the others out as long as the named ones have cost less", () => {
    const line = { lineNumber: 1, ticketTypeId: "type", name: "Floor", unitPriceCents: 250, quantity: 4 };
    const money = { discountCents: 0, feeCents: 0, taxCents: 0, totalCents: 1_000 };
    const paid = settle(decideNews(makeOrder({ lines: [{ ...line, ...money }] }), makeNews("payment.succeeded"), 1).record);
    const lost = settle(decideNews(paid, makeNews("dispute.lost", { amountCents: 500 }), 3).record);
    const one = settle(name(lost, [first]));
    expect([unnamedLossCentsOf(one), isKeptOut(one)]).toEqual([250, true]);
    const dead = takeStep(name(lost, [first]), false, 6);
    expect([dead.step.kind, takeStep(dead, false, 7).step.kind]).toEqual(["restock", "none"]);
    const two = name(one, [second], "two");
    expect(isKeptOut(settle(two))).toBe(false);
    expect(refundsOf(two)).toEqual([[500, "succeeded", "dispute_lost", [first, second]]]);
  });

  it("keeps them out, too, when another dispute is won, and when one is opened anew", () => {
    const lost = makeLost(500);
    const other = { disputeId: "other" };
    const opened = settle(decideNews(lost, makeNews("dispute.opened", other), 4).record);
    expect(decideNews(opened, makeNews("dispute.won", other), 5).record.step).toEqual({ kind: "none" });
    expect(settle(name(opened, [first])).step).toEqual({ kind: "none" }); // refused: the payment is disputed
    const named = settle(name(lost, [first]));
    const anew = settle(decideNews(named, makeNews("dispute.opened", other), 6).record);
    expect(isKeptOut(anew)).toBe(true);
    expect(decideNews(anew, makeNews("dispute.won", other), 7).record.step).toEqual({ kind: "unblock", ticketIds: [second] });
  });

  it.each([
    ["another is lost", makeNews("dispute.lost", { amountCents: 500, disputeId: "another" })],
    ["it goes back at the provider", makeNews("refund.succeeded", { amountCents: 500, refundId: "theirs" })],
  ])("was for all its tickets once %s over the rest: they die, and nothing is left to be named", (_, news) => {
    const { record } = decideNews(makeLost(500), news, 4);
    expect(record.step).toMatchObject({ kind: "revoke", recall: { ticketIds: [first, second] } });
    expect(unnamedLossCentsOf(settle(record))).toBe(0);
  });

  it.each([
    ["what is left pays for no ticket any more: banks' amounts differ with exchange rates", { amountCents: 501 }],
    ["it is over all", { amountCents: 1_000 }],
    ["it is over nothing", { amountCents: 0 }],
    ["its amount is in another currency", { amountCents: 500, currency: "USD" }],
  ])("is one over all of it when %s", (_, changes) => {
    const paid = settle(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record);
    const { record, alert } = decideNews(paid, makeNews("dispute.lost", changes), 3);
    expect([alert, record.step]).toMatchObject(["dispute_lost", { kind: "revoke", recall: { ticketIds: [first, second] } }]);
    expect(record.view.refundedCents).toBe(1_000);
  });

  it("names a ticket that died before, whose money was not taken by the provider, and lets the living one in", () => {
    const paid = settle(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record);
    const refunded = settle(name(paid, [first]));
    const opened = settle(decideNews(refunded, makeNews("dispute.opened"), 3).record);
    const lost = settle(decideNews(opened, makeNews("dispute.lost", { amountCents: 500 }), 4).record);
    const failed = happen(lost, { kind: "answer", status: "failed" }, 5);
    const named = name(failed, [first], "two");
    expect(named.step).toEqual({ kind: "unblock", ticketIds: [second] });
    expect(named.view.refundedCents).toBe(500);
  });

  it("leaves what was not asked for yet only as much as is there", () => {
    const paid = settle(decideNews(makeOrder(), makeNews("payment.succeeded"), 1).record);
    const both = settle(name(paid, null));
    const lost = decideNews(both, makeNews("dispute.lost", { amountCents: 400 }), 4).record;
    expect(refundsOf(lost)).toEqual([
      [1_000, "failed", "requested", [first, second]],
      [600, "created", "requested", [first, second]],
      [400, "succeeded", "dispute_lost", []],
    ]);
    expect(lost.view.refundedCents).toBe(1_000);
  });
});
