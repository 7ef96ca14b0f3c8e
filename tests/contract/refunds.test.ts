import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventGate } from "#durable-objects/event-gate/event-gate";
import { refundOrder } from "#services/order/refund-order";
import { findTicket } from "#services/ticket/find-ticket";
import { call, signIn } from "../support/contract-call.ts";
import { buy, flushDeskOf, idOf, runDeskOf } from "../support/open-sale.ts";
import { brokenDb, makeOrganiser, silentDb } from "../support/organiser.ts";
import { listOutgoing, payOrder, placeUnpaid, sellPaid } from "../support/paid-over-http.ts";
import { offer, passOn, settle, showCode } from "../support/pass-on.ts";
import { serveOutside, type ProviderBooks } from "../support/payment-provider-at-test.ts";
import { wantEvents } from "../support/want-events.ts";

let books: ProviderBooks;
beforeEach(() => {
  books = serveOutside();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const sum = (amounts: readonly unknown[]): number => amounts.reduce<number>((total, amount) => total + Number(amount), 0);

describe("a refund of a whole order", () => {
  it("kills its tickets before it is answered, sends the money back and puts the seats on sale again", async () => {
    const sold = await sellPaid(2);
    const { sale, buyer, orderId, ticketIds } = sold;
    const codes = await Promise.all(ticketIds.map((ticketId) => showCode(buyer, ticketId)));
    const refunded = await sold.refund();
    expect(refunded).toMatchObject({ status: 200, body: { id: orderId, status: "REFUNDED", refundedCents: 9_000 } });
    for (const force of [false, true]) {
      for (const code of codes) expect(await sold.scan(code, force)).toBe("canceled");
    }
    const looked = await sold.steward.call("POST", "/api/v1/qr/validate", { body: { qr: codes[0] } });
    expect(looked.body).toMatchObject({ result: "refused", reason: "canceled" });
    expect(await sale.readStock()).toMatchObject({ soldCount: 0, availableCount: 10 });
    expect(await sold.readOrder()).toEqual(refunded.body);
    await runDeskOf(orderId);
    await expect.poll(() => books.refundsOf(orderId)).toMatchObject([{ orderId, amountCents: 9_000, reason: "requested" }]);
  });

  it("is read at once: no code is shown, no offer taken, and lists say what became of the tickets", async () => {
    const sold = await sellPaid(2);
    const { buyer, sale, ticketIds } = sold;
    const friend = await sale.makeBuyer();
    await flushDeskOf(sold.orderId);
    await sold.refund({ reason: "  Rain  " });
    for (const ticketId of ticketIds) {
      const code = await buyer.call("GET", `/api/v1/qr/${ticketId}/generate`);
      expect(code).toMatchObject({ status: 409, body: { code: "ticket_not_valid" } });
      const offered = await offer(buyer, ticketId, { toUserId: friend.userId });
      expect(offered).toMatchObject({ status: 409, body: { code: "ticket_not_valid" } });
      expect((await buyer.call("GET", `/api/v1/tickets/${ticketId}`)).body).toMatchObject({ status: "CANCELLED" });
    }
    expect(Object.values(await sold.readStatuses())).toEqual(["CANCELLED", "CANCELLED"]);
    for (const caller of [sale.manager, buyer]) {
      const [refund, ...others] = await sold.listRefunds(caller);
      expect(refund).toMatchObject({ amountCents: 9_000, currency: "EUR", reason: "requested", note: "Rain" });
      expect(refund?.["ticketIds"]).toHaveLength(2);
      expect(others).toEqual([]);
    }
  });

  it("ends an offer of its ticket for whoever accepts it", async () => {
    const sold = await sellPaid(1);
    const friend = await sold.sale.makeBuyer();
    const offered = await offer(sold.buyer, sold.ticketIds[0], { toUserId: friend.userId });
    await sold.refund();
    const accepted = await settle(friend, idOf(offered), "accept");
    expect(accepted).toMatchObject({ status: 409, body: { code: "ticket_not_valid" } });
    const history = await sold.buyer.call("GET", `/api/v1/transfer/${sold.ticketIds[0]}/history`);
    expect(history.body).toMatchObject({ items: [{ status: "CANCELLED", cause: "ticket_recalled" }] });
    expect(await sold.readStatuses()).toEqual({ [sold.ticketIds[0]]: "CANCELLED" });
  });

  it("tells the holder of each ticket once, whoever holds it by then", async () => {
    const sold = await sellPaid(2, {}, {}, wantEvents);
    const { sale, buyer, orderId, ticketIds } = sold;
    const friend = await sale.makeBuyer();
    const [passedOn, kept = ""] = ticketIds;
    await passOn(buyer, friend, passedOn);
    await sold.refund({}, { key: "once" });
    await sold.refund({}, { key: "once" });
    await runDeskOf(orderId);
    const told = await listOutgoing(sold);
    expect(told).toHaveLength(2);
    const whose = { orderId, eventId: sale.eventId, reason: "refund" };
    expect(told).toContainEqual(expect.objectContaining({ ...whose, ticketId: passedOn, ownerUserId: friend.userId }));
    expect(told).toContainEqual(expect.objectContaining({ ...whose, ticketId: kept, ownerUserId: buyer.userId }));
    const burns = await env.DB.prepare("SELECT ticket_id FROM asset_burns WHERE tenant_id = ?").bind(sale.tenantId).all();
    expect(burns.results).toHaveLength(2);
    expect(await friend.call("GET", `/api/v1/qr/${passedOn}/generate`)).toMatchObject({ status: 409 });
  });

  it("leaves the seats off sale when it is told so", async () => {
    const sold = await sellPaid(2);
    await sold.refund({ restock: false });
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 2, availableCount: 8 });
  });

  it("does not give a discount's use back, because the code was used", async () => {
    const code = "ONCE";
    const discount = { code, type: "fixed", amountCents: 100, scope: "order", maxUses: 1 };
    const sold = await sellPaid(1, {}, { discountCodes: [code] }, (sale) =>
      sale.manager.call("POST", "/api/v1/discounts", { body: discount }),
    );
    expect(sold.totalCents).toBe(4_400);
    await sold.refund();
    const body = { ...sold.sale.basket(1), discountCodes: [code] };
    const again = await sold.buyer.call("POST", "/api/v1/purchase", { key: "again", body });
    expect(again).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
    expect((await buy(sold.sale, sold.buyer)).status).toBe(201);
  });

  it("of free tickets kills them, and no money is asked for", async () => {
    const sold = await sellPaid(2, { priceCents: 0 });
    expect((await sold.refund()).body).toMatchObject({ status: "REFUNDED", refundedCents: 0 });
    expect(Object.values(await sold.readStatuses())).toEqual(["CANCELLED", "CANCELLED"]);
    expect(await sold.listRefunds()).toEqual([]);
  });
});

describe("a refund by ticket", () => {
  it("shares price, fees and discounts out to the cent, so that all parts are what was paid", async () => {
    const discount = { code: "OFF", type: "fixed", amountCents: 100, scope: "order" };
    const sold = await sellPaid(3, { priceCents: 1_000, feeCents: 50 }, { discountCodes: ["OFF"] }, (sale) =>
      sale.manager.call("POST", "/api/v1/discounts", { body: discount }),
    );
    expect(sold.totalCents).toBe(3_050);
    let refundedCents = 0;
    for (const [count, ticketId] of sold.ticketIds.entries()) {
      const { body } = await sold.refund({ ticketIds: [ticketId] });
      const isLast = count === 2;
      expect([1_016, 1_017]).toContain(Number(body["refundedCents"]) - refundedCents);
      expect(body["status"] === "REFUNDED").toBe(isLast);
      refundedCents = Number(body["refundedCents"]);
    }
    const refunds = await sold.listRefunds();
    expect(refunds.map(({ ticketIds }) => ticketIds)).toEqual(sold.ticketIds.map((ticketId) => [ticketId]));
    expect(sum(refunds.map(({ amountCents }) => amountCents))).toBe(3_050);
    expect(await sold.refund()).toMatchObject({
      status: 409,
      body: { code: "order_not_refundable", detail: "Nothing of it is left to be paid back." },
    });
  });

  it("leaves the other tickets valid, and pays them with the rest", async () => {
    const sold = await sellPaid(3);
    const { buyer, sale } = sold;
    const [first, second = "", third = ""] = sold.ticketIds;
    expect((await sold.refund({ ticketIds: [first] })).body).toMatchObject({ refundedCents: 4_500, status: "AWAITING_MINT" });
    expect(await sold.readStatuses()).toEqual({ [first]: "CANCELLED", [second]: "SOLD", [third]: "SOLD" });
    expect(await sold.scan(await showCode(buyer, second))).toBe("admitted");
    expect(await sale.readStock()).toMatchObject({ soldCount: 2 });
    expect((await sold.refund()).body).toMatchObject({ refundedCents: 13_500, status: "REFUNDED" });
    expect((await sold.listRefunds()).map(({ amountCents }) => amountCents)).toEqual([4_500, 9_000]);
    expect(await sale.readStock()).toMatchObject({ soldCount: 0 });
    // It was let in, and is dead all the same: it will not come in again.
    expect((await sold.readStatuses())[second]).toBe("CANCELLED");
  });

  it("is refused for a ticket that is paid back already, for one of another order, and for one named twice", async () => {
    const sold = await sellPaid(2);
    const [first, second = ""] = sold.ticketIds;
    const other = await payOrder(sold.sale);
    await sold.refund({ ticketIds: [first] });
    const refusals: readonly (readonly [readonly string[], number, string])[] = [
      [[first], 409, "ticket_not_valid"],
      [[first, second], 409, "ticket_not_valid"],
      [[second, other.ticketIds[0]], 404, "not_found"],
      [[crypto.randomUUID()], 404, "not_found"],
      [[second, second], 400, "validation_failed"],
      [[], 400, "validation_failed"],
    ];
    for (const [ticketIds, status, code] of refusals) {
      expect(await sold.refund({ ticketIds }), JSON.stringify(ticketIds)).toMatchObject({ status, body: { code } });
    }
    const named = await sold.refund({ ticketIds: [second, first] });
    expect(named.body["errors"]).toMatchObject([{ path: first, code: "ticket_not_valid" }]);
    expect(await sold.listRefunds()).toHaveLength(1);
    expect(await other.readStatuses()).toEqual({ [other.ticketIds[0]]: "SOLD" });
    expect((await sold.readStatuses())[second]).toBe("SOLD");
  });
});

describe("a request for a refund", () => {
  it("that is repeated with its key gets the first answer and pays once, also long after", async () => {
    const sold = await sellPaid(2);
    const [first, second = ""] = sold.ticketIds;
    const answer = await sold.refund({ ticketIds: [first] }, { key: "same" });
    const again = await sold.refund({ ticketIds: [first] }, { key: "same" });
    expect(again).toMatchObject({ status: 200, body: answer.body });
    expect([answer, again].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
    await sold.refund();
    expect((await sold.refund({ ticketIds: [first] }, { key: "same" })).body).toEqual(answer.body);
    expect(await sold.refund({ ticketIds: [second] }, { key: "same" })).toMatchObject({
      status: 422,
      body: { code: "idempotency_key_reused" },
    });
    expect((await sold.listRefunds()).map(({ amountCents }) => amountCents)).toEqual([4_500, 4_500]);
  });

  it("that is repeated gets the first answer, wherever the mint was then and is now", async () => {
    const sold = await sellPaid(3);
    const [early, later] = sold.ticketIds;
    const pay = (ticketId: string | undefined) => sold.refund({ ticketIds: [ticketId] }, { key: `of-${ticketId}` });
    await flushDeskOf(sold.orderId);
    const before = await pay(early);
    expect(before.body).toMatchObject({ status: "AWAITING_MINT" });
    await env.DB.prepare("UPDATE orders SET status = 'COMPLETED' WHERE id = ?").bind(sold.orderId).run();
    const after = await pay(later);
    expect(after.body).toMatchObject({ status: "COMPLETED" });
    expect((await pay(early)).body).toEqual(before.body);
    await sold.refund();
    expect((await pay(later)).body).toEqual(after.body);
  });

  it("that comes many times at once has one effect", async () => {
    const sold = await sellPaid(2, {}, {}, wantEvents);
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => sold.refund({}, { key: "same" })),
      ...Array.from({ length: 5 }, () => sold.refund()),
    ]);
    const wins = answers.filter(({ status }) => status === 200);
    expect(wins.map(({ body }) => body["refundedCents"])).toEqual(wins.map(() => 9_000));
    expect(wins.length).toBeGreaterThan(0);
    for (const { status } of answers) expect([200, 409]).toContain(status);
    expect(await sold.listRefunds()).toHaveLength(1);
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 0, availableCount: 10 });
    expect(await listOutgoing(sold)).toHaveLength(2);
  });

  it("for an unpaid order is refused, and nobody but a manager of its tenant may make one", async () => {
    const sold = await sellPaid();
    const { sale, buyer, orderId, path } = sold;
    const unpaid = `/api/v1/orders/${await placeUnpaid(sale)}/refund`;
    const body = { reason: "rain" };
    expect(await sale.manager.call("POST", unpaid, { key: "k", body })).toMatchObject({
      status: 409,
      body: { code: "order_not_refundable", detail: "The order has not been paid." },
    });
    for (const caller of [buyer, sold.steward]) {
      const refused = await caller.call("POST", `${path}/refund`, { key: "k", body });
      expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } });
    }
    const stranger = await signIn("venue_manager", crypto.randomUUID());
    for (const id of [orderId, crypto.randomUUID()]) {
      const refused = await stranger.call("POST", `/api/v1/orders/${id}/refund`, { key: id, body });
      expect(refused).toMatchObject({ status: 404, body: { code: "not_found" } });
      expect((await stranger.call("GET", `/api/v1/orders/${id}/refunds`)).status).toBe(404);
    }
    expect((await (await sale.makeBuyer()).call("GET", `${path}/refunds`)).status).toBe(404);
    expect((await call("GET", `${path}/refunds`)).status).toBe(401);
    expect(await sold.readStatuses()).toEqual({ [sold.ticketIds[0]]: "SOLD" });
  });

  it.each([
    ["is down", brokenDb],
    ["never answers", silentDb],
  ])("is answered while D1 %s: the tickets are dead, and the buyer's desk says so", async (_, db) => {
    const sold = await sellPaid(1);
    const code = await showCode(sold.buyer, sold.ticketIds[0]);
    const organiser = await makeOrganiser("venue_manager", sold.sale.tenantId);
    const ctx = organiser.contextWith({ db: brokenDb });
    const { tenantId, userId } = ctx.principal;
    const request = { tenantId, userId, requestId: crypto.randomUUID(), route: "refund", bodyHash: "hash" };
    const command = { request, orderId: sold.orderId, ticketIds: null, reason: "rain", restock: true };
    expect(await refundOrder({ ...ctx, db }, command)).toMatchObject({ ok: true, value: { status: "REFUNDED" } });
    expect(await sold.scan(code)).toBe("canceled");
    expect(
      await findTicket({ ...ctx, principal: { ...ctx.principal, userId: sold.buyer.userId } }, sold.ticketIds[0]),
    ).toMatchObject({ ok: true, value: { status: "CANCELLED" } });
  });

  it("is not answered while the gate is away: no money moves, no seat is sold again, and the same key goes on", async () => {
    const sold = await sellPaid(2);
    const code = await showCode(sold.buyer, sold.ticketIds[0]);
    const away = vi.spyOn(EventGate.prototype, "recall").mockRejectedValue(new Error("away"));
    const refused = await sold.refund({}, { key: "same" });
    expect(refused).toMatchObject({ status: 503, body: { code: "overloaded" } });
    expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
    expect(books.refundsOf(sold.orderId)).toEqual([]);
    expect(await sold.sale.readStock()).toMatchObject({ soldCount: 2 });
    away.mockRestore();
    expect(await sold.refund({}, { key: "same" })).toMatchObject({ status: 200, body: { status: "REFUNDED" } });
    expect(await sold.scan(code)).toBe("canceled");
    await runDeskOf(sold.orderId);
    await expect.poll(() => books.refundsOf(sold.orderId)).toHaveLength(1);
  });
});
