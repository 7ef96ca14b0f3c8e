/** What becomes of holds and orders while the world around them changes. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { createTicketType } from "#services/ticket-type/create-ticket-type";
import { compose } from "#src/compose";
import type { Caller } from "../support/contract-call.ts";
import { makeEvent, makeOrganiser } from "../support/organiser.ts";
import { buy, flushDeskOf, hold, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { deliver, serveOutside } from "../support/payment-provider-at-test.ts";

beforeEach(() => {
  serveOutside();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Moves everyone's clock on. Alarms go by the machine's clock, so none runs. */
function passTime(ms: number): void {
  const laterMs = Date.now() + ms;
  vi.spyOn(Date, "now").mockImplementation(() => laterMs);
}

async function countTickets(buyer: Caller, orderId: string): Promise<number> {
  return ((await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`)).body["items"] as unknown[]).length; // declared so
}

describe("a payment that failed", () => {
  it("can be made again at the same checkout while the hold lasts: the stock stays held, and the order tells where to pay", async () => {
    const sale = await openSale({ quantity: 1 });
    const buyer = await sale.makeBuyer();
    const placed = await buy(sale, buyer);
    const orderId = idOf(placed);
    expect((await deliver({ type: "payment.failed", orderId, amountCents: 4_500 })).status).toBe(200);
    await flushDeskOf(orderId);
    const { action } = placed.body["payment"] as { action: unknown }; // declared so
    expect((await buyer.call("GET", `/api/v1/orders/${orderId}`)).body).toMatchObject({
      status: "PAYMENT_FAILED",
      payment: { status: "FAILED", action },
    });
    expect(await buy(sale, await sale.makeBuyer())).toMatchObject({ status: 409, body: { code: "sold_out" } });
    expect((await deliver({ orderId, amountCents: 4_500 })).status).toBe(200);
    expect((await buyer.call("GET", `/api/v1/orders/${orderId}`)).body).toMatchObject({
      status: "AWAITING_MINT",
      payment: { status: "SUCCEEDED" },
    });
    expect(await countTickets(buyer, orderId)).toBe(1);
  });

  it("leaves an order that may still be cancelled, and its stock is then on sale at once", async () => {
    const sale = await openSale({ quantity: 1 });
    const buyer = await sale.makeBuyer();
    const orderId = idOf(await buy(sale, buyer));
    expect((await deliver({ type: "payment.canceled", orderId, amountCents: 4_500 })).status).toBe(200);
    expect((await buyer.call("POST", `/api/v1/orders/${orderId}/cancel`, { key: "c" })).body).toMatchObject({
      status: "CANCELLED",
    });
    expect((await buy(sale, buyer)).status).toBe(201);
  });

  it("lets its order expire with its hold", async () => {
    const sale = await openSale({ reservationTtlSeconds: 60 });
    const buyer = await sale.makeBuyer();
    const orderId = idOf(await buy(sale, buyer));
    expect((await deliver({ type: "payment.failed", orderId, amountCents: 4_500 })).status).toBe(200);
    passTime(60_000);
    expect((await buyer.call("GET", `/api/v1/orders/${orderId}`)).body).toMatchObject({ status: "EXPIRED" });
  });
});

describe("a purchase whose inventory never answers", () => {
  it("is told to come again, and buys under the same key once it answers", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const setTimer = globalThis.setTimeout;
    vi.spyOn(globalThis, "setTimeout").mockImplementation((work, ms) => setTimer(work, ms === 10_000 ? 10 : ms)); // the limit of its call
    vi.spyOn(TicketTypeInventory.prototype, "reserve").mockReturnValue(new Promise(() => undefined));
    expect(await buy(sale, buyer, 1, "once")).toMatchObject({ status: 503, body: { code: "overloaded" } });
    vi.restoreAllMocks();
    serveOutside();
    expect((await buy(sale, buyer, 1, "once")).status).toBe(201);
  });
});

describe("a free order", () => {
  it("is made without a payment also when it cannot be settled at once, and has its tickets later", async () => {
    const books = serveOutside();
    const sale = await openSale({ priceCents: 0 });
    const buyer = await sale.makeBuyer();
    const confirm = vi.spyOn(TicketTypeInventory.prototype, "confirm").mockRejectedValue(new Error("away"));
    const placed = await buy(sale, buyer);
    expect(placed).toMatchObject({ status: 201, body: { status: "PENDING", totalCents: 0, payment: null } });
    expect(books.paymentCalls).toEqual([]);
    confirm.mockRestore();
    passTime(5_000);
    const orderId = idOf(placed);
    await flushDeskOf(orderId);
    expect(await countTickets(buyer, orderId)).toBe(1);
  });
});

describe("the price of an early bird", () => {
  it.each([
    ["holds as long as the stock is held, although its time ends meanwhile", 3_000, 4_000, "AWAITING_MINT", 0],
    ["is nobody's any more once both are over: the money goes back", 3_000, 6_000, "EXPIRED", 1],
    ["is good for who pays late, while its time lasts", 60_000, 6_000, "AWAITING_MINT", 0],
  ])("%s", async (_, untilMs, paidAfterMs, status, refundCount) => {
    const books = serveOutside();
    const sale = await openSale({ reservationTtlSeconds: 5 });
    const until = new Date(Date.now() + untilMs).toISOString();
    const discount = { code: "BIRD", type: "early_bird", percentBps: 1_000, until };
    expect((await sale.manager.call("POST", "/api/v1/discounts", { body: discount })).status).toBe(201);
    const buyer = await sale.makeBuyer();
    const body = { ...sale.basket(1), discountCodes: ["BIRD"] };
    const orderId = idOf(await buyer.call("POST", "/api/v1/purchase", { key: "k", body }));
    passTime(paidAfterMs);
    for (let delivery = 0; delivery < 2; delivery += 1) await deliver({ orderId, amountCents: 4_050 });
    await flushDeskOf(orderId);
    expect((await buyer.call("GET", `/api/v1/orders/${orderId}`)).body).toMatchObject({ status });
    expect(books.refunds).toHaveLength(refundCount);
    expect(await sale.readStock()).toMatchObject({ heldCount: 0, soldCount: 1 - refundCount });
  });
});

describe("a ticket type that is taken off sale", () => {
  it("still sells what was held: an order is paid, a hold is bought and paid, and nobody else gets any", async () => {
    const sale = await openSale();
    const [ordering, holding] = [await sale.makeBuyer(), await sale.makeBuyer()];
    const orderId = idOf(await buy(sale, ordering));
    const reservationId = idOf(await hold(sale, holding, 2));
    expect((await sale.manager.call("DELETE", sale.path)).status).toBe(204);
    expect(await buy(sale, await sale.makeBuyer())).toMatchObject({ status: 409, body: { code: "not_on_sale" } });
    expect((await deliver({ orderId, amountCents: 4_500 })).status).toBe(200);
    expect(await countTickets(ordering, orderId)).toBe(1);
    const bought = await holding.call("POST", "/api/v1/purchase", { key: "later", body: { reservationId } });
    expect(bought.status).toBe(201);
    expect((await deliver({ orderId: idOf(bought), amountCents: 9_000 })).status).toBe(200);
    expect(await countTickets(holding, idOf(bought))).toBe(2);
    expect(await sale.readStock()).toMatchObject({ heldCount: 0, soldCount: 3 });
  });
});

describe("stock whose hold has run out", () => {
  it("is sold to the next buyer at once and shown as available within a second, though no alarm ran", async () => {
    const sale = await openSale({ quantity: 1, reservationTtlSeconds: 60 });
    const holder = await sale.makeBuyer();
    const reservationId = idOf(await hold(sale, holder));
    expect((await sale.manager.call("GET", sale.path)).body).toMatchObject({ availability: "reserved", availableCount: 0 });
    passTime(60_000);
    expect((await sale.manager.call("GET", sale.path)).body).toMatchObject({ availability: "available", availableCount: 1 });
    expect((await buy(sale, await sale.makeBuyer())).status).toBe(201);
    expect((await holder.call("GET", `/api/v1/tickets/reservations/${reservationId}`)).body).toMatchObject({
      status: "EXPIRED",
    });
  });
});

describe("the hold time", () => {
  it.each(["/api/v1/tickets/purchase", "/api/v1/purchase"])(
    "is one for a whole basket, the shortest of its types', so that no stock stays held for what has ended: POST %s",
    async (path) => {
      const sale = await openSale({ reservationTtlSeconds: 3_600 });
      const other = { eventId: sale.eventId, name: "Balcony", priceCents: 3_000, quantity: 10, reservationTtlSeconds: 60 };
      const otherId = idOf(await sale.manager.call("POST", "/api/v1/tickets/types", { body: other }));
      const buyer = await sale.makeBuyer();
      const tickets = [sale.typeId, otherId].map((ticketTypeId) => ({ ticketTypeId, quantity: 2 }));
      const made = await buyer.call("POST", path, { key: "both", body: { eventId: sale.eventId, tickets } });
      expect(made.status).toBe(201);
      expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
      passTime(61_000);
      expect(await env.TICKET_TYPE_INVENTORY.getByName(otherId).snapshot()).toMatchObject({ heldCount: 0 });
      expect(await sale.readStock()).toMatchObject({ heldCount: 0, availableCount: 10 });
      expect((await buy(sale, buyer)).status).toBe(201);
    },
  );

  it("is the type's own, and where it has none the configured one", async () => {
    const composed = compose({ ...env, DEFAULT_RESERVATION_TTL_SECONDS: "45" });
    if (!composed.ok) throw new Error("the tests' environment is misconfigured");
    const { defaultReservationTtlSeconds } = composed.value.createContext("test", Date.now());
    expect(defaultReservationTtlSeconds).toBe(45);
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    const input = { ...NEW_TYPE, eventId };
    const ctx = organiser.contextWith({ defaultReservationTtlSeconds });
    expect(await createTicketType(ctx, input)).toMatchObject({ value: { reservationTtlSeconds: 45 } });
    expect(await createTicketType(ctx, { ...input, reservationTtlSeconds: 30 })).toMatchObject({
      value: { reservationTtlSeconds: 30 },
    });
    const sale = await openSale();
    expect((await sale.manager.call("GET", sale.path)).body).toMatchObject({ reservationTtlSeconds: 600 });
  });
});

const NEW_TYPE = {
  name: "Floor",
  description: null,
  priceCents: 4_500,
  quantity: 10,
  saleStartsAtMs: null,
  saleEndsAtMs: null,
  minPerOrder: 1,
  maxPerOrder: 10,
  maxPerUser: null,
  transferable: true,
  feeCents: 0,
  taxRateBps: 0,
};

describe("a request that cannot be meant", () => {
  /** Everything of the sale that a request could have changed. */
  async function photograph(sale: Sale, buyer: Caller): Promise<unknown> {
    return [await sale.readStock(), (await buyer.call("GET", "/api/v1/orders")).body];
  }

  it.each<[string, number, string, (sale: Sale, otherTypeId: string) => unknown]>([
    ["one type twice", 400, "validation_failed", (sale) => lines(sale, [sale.typeId, 1], [sale.typeId, 2])],
    ["types of two events", 404, "not_found", (sale, other) => lines(sale, [sale.typeId, 1], [other, 1])],
    ["0 tickets", 400, "validation_failed", (sale) => lines(sale, [sale.typeId, 0])],
    ["-1 tickets", 400, "validation_failed", (sale) => lines(sale, [sale.typeId, -1])],
    ["1.5 tickets", 400, "validation_failed", (sale) => lines(sale, [sale.typeId, 1.5])],
    ["1e9 tickets", 400, "validation_failed", (sale) => lines(sale, [sale.typeId, 1e9])],
    ["more than an order may have", 422, "quantity_out_of_range", (sale) => lines(sale, [sale.typeId, 1_000])],
  ])("is refused and changes nothing: a basket of %s", async (_, status, code, bodyOf) => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const event = { name: "Other", startsAt: "2031-05-01T18:00:00Z", endsAt: "2031-05-01T23:00:00Z" };
    const otherEvent = { ...event, timezone: "UTC", currency: "EUR" };
    const eventId = idOf(await sale.manager.call("POST", "/api/v1/events", { body: otherEvent }));
    const type = { eventId, name: "Other", priceCents: 1, quantity: 5 };
    const otherTypeId = idOf(await sale.manager.call("POST", "/api/v1/tickets/types", { body: type }));
    const before = await photograph(sale, buyer);
    for (const path of ["/api/v1/tickets/purchase", "/api/v1/purchase"]) {
      const body = bodyOf(sale, otherTypeId);
      expect(await buyer.call("POST", path, { key: "k", body }), path).toMatchObject({ status, body: { code } });
    }
    expect(await photograph(sale, buyer)).toEqual(before);
    expect((await sale.manager.call("GET", `/api/v1/tickets/types/${otherTypeId}`)).body).toMatchObject({ availableCount: 5 });
  });

  it("is refused and changes nothing: a capacity below what is held and sold", async () => {
    const sale = await openSale({ priceCents: 0 });
    const buyer = await sale.makeBuyer();
    await buy(sale, buyer, 2);
    await hold(sale, buyer, 3);
    const before = await photograph(sale, buyer);
    expect(await sale.manager.call("PUT", sale.path, { body: { quantity: 4, name: "Pit" } })).toMatchObject({
      status: 409,
      body: { code: "capacity_below_committed" },
    });
    expect(await photograph(sale, buyer)).toEqual(before);
    expect((await sale.manager.call("GET", sale.path)).body).toMatchObject({ quantity: 10, name: "Floor" });
    expect((await sale.manager.call("PUT", sale.path, { body: { quantity: 5 } })).status).toBe(200);
  });

  it.each(["", "x".repeat(300)])("is refused and changes nothing: an Idempotency-Key of %j", async (key) => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const before = await photograph(sale, buyer);
    for (const path of ["/api/v1/tickets/purchase", "/api/v1/purchase"]) {
      expect(await buyer.call("POST", path, { key, body: sale.basket(1) }), path).toMatchObject({
        status: 400,
        body: { code: "idempotency_key_required" },
      });
    }
    expect(await photograph(sale, buyer)).toEqual(before);
  });
});

function lines(sale: Sale, ...of: readonly (readonly [ticketTypeId: string, quantity: number])[]): unknown {
  return { eventId: sale.eventId, tickets: of.map(([ticketTypeId, quantity]) => ({ ticketTypeId, quantity })) };
}
