import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runDeskOf } from "../support/open-sale.ts";
import { listOutgoing, sellPaid } from "../support/paid-over-http.ts";
import { showCode } from "../support/pass-on.ts";
import { deliver, serveOutside, type ProviderBooks } from "../support/payment-provider-at-test.ts";
import { wantEvents } from "../support/want-events.ts";

let books: ProviderBooks;
beforeEach(() => {
  books = serveOutside();
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("what the provider says later", () => {
  it("moves the refund on, and the order's payment is REFUNDED once all its money is back", async () => {
    const sold = await sellPaid(2);
    const { orderId, ticketIds } = sold;
    for (const ticketId of ticketIds) await sold.refund({ ticketIds: [ticketId] });
    await runDeskOf(orderId);
    await expect.poll(() => books.refundsOf(orderId)).toHaveLength(2);
    await deliver({ type: "refund.succeeded", orderId, amountCents: 4_500 });
    expect(await sold.readOrder()).toMatchObject({ payment: { status: "SUCCEEDED" } });
    await deliver({ type: "refund.succeeded", orderId, amountCents: 4_500 });
    expect(await sold.readOrder()).toMatchObject({ payment: { status: "REFUNDED" }, refundedCents: 9_000 });
    await runDeskOf(orderId);
    await expect.poll(async () => (await sold.listRefunds()).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });

  it("of a failed refund lets the same tickets be paid back again", async () => {
    const sold = await sellPaid(1);
    const { orderId } = sold;
    await sold.refund();
    await runDeskOf(orderId);
    await expect.poll(() => books.refundsOf(orderId)).toHaveLength(1);
    await deliver({ type: "refund.failed", orderId, amountCents: 4_500 });
    expect(await sold.readOrder()).toMatchObject({ status: "REFUNDED", refundedCents: 0 });
    expect(await sold.refund()).toMatchObject({ status: 200, body: { refundedCents: 4_500 } });
    await runDeskOf(orderId);
    await expect.poll(() => books.refundsOf(orderId)).toHaveLength(2);
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 0, availableCount: 10 });
  });
});

describe("a disputed payment", () => {
  it("keeps its tickets out until the dispute is won", async () => {
    const sold = await sellPaid();
    const { orderId, buyer, ticketIds } = sold;
    const facts = { orderId, amountCents: 4_500 };
    await deliver({ type: "dispute.opened", ...facts });
    expect(await sold.readOrder()).toMatchObject({ payment: { status: "DISPUTED" } });
    expect(await sold.scan(await showCode(buyer, ticketIds[0]))).toBe("blocked");
    const detail = "Its payment is disputed at the buyer's bank.";
    expect(await sold.refund()).toMatchObject({ status: 409, body: { code: "order_not_refundable", detail } });
    await deliver({ type: "dispute.won", ...facts });
    expect(await sold.readOrder()).toMatchObject({ payment: { status: "SUCCEEDED" } });
    expect(await sold.scan(await showCode(buyer, ticketIds[0]))).toBe("admitted");
  });

  it("that is lost is a refund that the provider is not asked for: tickets dead, seats on sale", async () => {
    const sold = await sellPaid(1, {}, {}, wantEvents);
    const { orderId, buyer, ticketIds } = sold;
    const code = await showCode(buyer, ticketIds[0]);
    const facts = { orderId, amountCents: 4_500 };
    await deliver({ type: "dispute.opened", ...facts });
    await deliver({ type: "dispute.lost", ...facts });
    expect(await sold.scan(code)).toBe("canceled");
    expect(await sold.readOrder()).toMatchObject({ status: "REFUNDED", refundedCents: 4_500 });
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 0 });
    await runDeskOf(orderId);
    await expect.poll(() => sold.listRefunds()).toMatchObject([{ reason: "dispute_lost", status: "succeeded" }]);
    await expect.poll(() => listOutgoing(sold)).toMatchObject([{ reason: "dispute_lost", ownerUserId: buyer.userId }]);
    expect(books.refundsOf(orderId)).toEqual([]);
  });

  it("that is lost over one of two tickets keeps both out until the organiser says which; the other is let in then", async () => {
    const sold = await sellPaid(2);
    const { orderId, buyer, ticketIds } = sold;
    const [first, second = ""] = ticketIds;
    for (const type of ["dispute.opened", "dispute.lost"]) await deliver({ type, orderId, amountCents: 4_500 });
    const lost = { status: "AWAITING_MINT", refundedCents: 4_500, payment: { status: "DISPUTED" } };
    expect(await sold.readOrder()).toMatchObject(lost);
    for (const ticketId of ticketIds) expect(await sold.scan(await showCode(buyer, ticketId))).toBe("blocked");
    await runDeskOf(orderId);
    await expect.poll(() => sold.listRefunds()).toMatchObject([{ reason: "dispute_lost", amountCents: 4_500, ticketIds: [] }]);
    const code = await showCode(buyer, first);
    expect(await sold.refund({ ticketIds: [first] })).toMatchObject({ status: 200, body: { refundedCents: 4_500 } });
    expect(await sold.scan(code)).toBe("canceled");
    expect(await sold.scan(await showCode(buyer, second))).toBe("admitted");
    await runDeskOf(orderId);
    await expect.poll(() => sold.listRefunds()).toMatchObject([{ reason: "dispute_lost", ticketIds: [first] }]);
    expect(books.refundsOf(orderId)).toEqual([]);
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 1 });
  });
});
