import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeApp, readProblem } from "../support/call-service.ts";
import type { CheckedAnswer } from "../support/contract-call.ts";
import { buy, flushDeskOf, hold, idOf, openSale } from "../support/open-sale.ts";
import { deliver, paymentIdOf, serveOutside, type ProviderBooks } from "../support/payment-provider-at-test.ts";

let books: ProviderBooks;
beforeEach(() => {
  books = serveOutside();
});
afterEach(async () => {
  vi.restoreAllMocks();
});

const without = (body: CheckedAnswer["body"], ...names: string[]): unknown =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

describe("a purchase", () => {
  it("costs what its quote said, and the buyer reads it at once exactly as it was answered", async () => {
    const sale = await openSale({ feeCents: 150, taxRateBps: 1_900 });
    const buyer = await sale.makeBuyer();
    const quote = await buyer.call("POST", "/api/v1/purchase/quote", { body: sale.basket(3) });
    expect(quote.body).toMatchObject({ subtotalCents: 13_500, feeCents: 450, totalCents: 13_950, currency: "EUR" });
    expect(await sale.readStock()).toMatchObject({ heldCount: 0 });
    const order = await buy(sale, buyer, 3);
    expect(order.status).toBe(201);
    expect(order.body).toMatchObject({ ...quote.body, status: "PENDING" });
    expect(order.body).toMatchObject({
      payment: { provider: "standard", status: "REQUIRES_ACTION", action: { type: "redirect" } },
    });
    const path = `/api/v1/orders/${idOf(order)}`;
    expect((await buyer.call("GET", path)).body).toEqual(order.body);
    expect((await buyer.call("GET", "/api/v1/orders")).body).toEqual({ items: [order.body], nextCursor: null });
    expect((await buyer.call("GET", `${path}/tickets`)).body).toEqual({ items: [], nextCursor: null });
  });

  it("shows in the ticket type's figures on the very next read", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    expect((await buyer.call("GET", sale.path)).body).toMatchObject({ heldCount: 0, availableCount: 10 });
    await buy(sale, buyer, 4);
    expect((await buyer.call("GET", sale.path)).body).toMatchObject({ heldCount: 4, availableCount: 6 });
  });

  it("sent again with its key is the first answer again, and nothing is held or charged twice", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const first = await buy(sale, buyer, 2, "again");
    const second = await buy(sale, buyer, 2, "again");
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
    expect(new Set(books.paymentCalls)).toEqual(new Set([idOf(first)]));
  });

  it("sent again with its fields in another order is still the same purchase", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const first = await buy(sale, buyer, 2, "reordered");
    const body = Object.fromEntries(Object.entries(sale.basket(2)).toReversed());
    const second = await buyer.call("POST", "/api/v1/purchase", { key: "reordered", body });
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
  });

  it("with the key of another purchase is refused, and the other stands", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const first = await buy(sale, buyer, 2, "reused");
    expect(await buy(sale, buyer, 3, "reused")).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
    expect((await buyer.call("GET", `/api/v1/orders/${idOf(first)}`)).body).toEqual(first.body);
  });

  it("that asks for what cannot be sold at all leaves its key free for the right one", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const strangeType = { eventId: sale.eventId, tickets: [{ ticketTypeId: crypto.randomUUID(), quantity: 1 }] };
    const refused = [
      [{}, 400],
      [strangeType, 404],
      [{ ...sale.basket(1), discountCodes: ["NONE"] }, 409],
      [sale.basket(11), 422],
    ] as const;
    for (const [body, status] of refused) {
      expect((await buyer.call("POST", "/api/v1/purchase", { key: "free", body })).status).toBe(status);
    }
    const bought = await buy(sale, buyer, 1, "free");
    expect([bought.status, bought.headers.get("idempotency-replayed")]).toEqual([201, null]);
  });

  it("with a key that someone else used is a purchase of its own", async () => {
    const sale = await openSale();
    const [one, other] = await Promise.all([sale.makeBuyer(), sale.makeBuyer()]);
    const orders = [await buy(sale, one, 1, "shared"), await buy(sale, other, 1, "shared")];
    expect(new Set(orders.map(idOf)).size).toBe(2);
  });

  it("sent twice at once has one effect, and both senders learn of it", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const answers = await Promise.all([buy(sale, buyer, 2, "twins"), buy(sale, buyer, 2, "twins")]);
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(idOf)).size).toBe(1);
    for (const { status, body } of answers) if (status !== 201) expect(body).toMatchObject({ code: "request_in_flight" });
    expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
  });

  it("of more than there is holds nothing and says what is left of each type", async () => {
    const sale = await openSale({ quantity: 3 });
    const other = { eventId: sale.eventId, name: "Balcony", priceCents: 1, quantity: 5 };
    const otherTypeId = idOf(await sale.manager.call("POST", "/api/v1/tickets/types", { body: other }));
    const buyer = await sale.makeBuyer();
    const tickets = [
      { ticketTypeId: otherTypeId, quantity: 2 },
      { ticketTypeId: sale.typeId, quantity: 4 },
    ];
    const request = { key: "greedy", body: { eventId: sale.eventId, tickets } };
    const refused = await buyer.call("POST", "/api/v1/purchase", request);
    const errors = [{ ticketTypeId: sale.typeId, availableCount: 3, code: "sold_out" }];
    expect(refused).toMatchObject({ status: 409, body: { code: "sold_out", errors } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 0 });
    expect((await sale.manager.call("GET", `/api/v1/tickets/types/${otherTypeId}`)).body).toMatchObject({ availableCount: 5 });
    const again = await buyer.call("POST", "/api/v1/purchase", request);
    expect(without(again.body, "instance")).toEqual(without(refused.body, "instance"));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("of the last tickets by many at once never sells more than there are", async () => {
    const sale = await openSale({ quantity: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, async () => buy(sale, await sale.makeBuyer())));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.filter(({ body }) => body["code"] === "sold_out")).toHaveLength(5);
    expect(await sale.readStock()).toMatchObject({ heldCount: 3, availableCount: 0 });
  });

  it("of nothing to pay is past payment at once, with its tickets and no payment", async () => {
    const sale = await openSale({ priceCents: 0 });
    const buyer = await sale.makeBuyer();
    const order = await buy(sale, buyer, 2);
    expect(order).toMatchObject({ status: 201, body: { status: "AWAITING_MINT", totalCents: 0, payment: null } });
    const { body } = await buyer.call("GET", `/api/v1/orders/${idOf(order)}/tickets`);
    expect(body["items"]).toHaveLength(2);
    expect(books.paymentCalls).toEqual([]);
  });

  it("of the dearest tickets there may be is priced, read, paid and listed to the cent", async () => {
    const sale = await openSale({ priceCents: 1_000_000_000, feeCents: 1_000_000_000, maxPerOrder: 100, quantity: 100 });
    const buyer = await sale.makeBuyer();
    const order = await buy(sale, buyer, 100);
    expect(order).toMatchObject({ status: 201, body: { totalCents: 200_000_000_000, subtotalCents: 100_000_000_000 } });
    expect((await deliver({ orderId: idOf(order), amountCents: 200_000_000_000 })).status).toBe(200);
    const paid = await buyer.call("GET", `/api/v1/orders/${idOf(order)}`);
    expect(paid.body).toMatchObject({ status: "AWAITING_MINT", totalCents: 200_000_000_000 });
  });

  it.each([
    [{ maxPerOrder: 2 }, 3, 422, "quantity_out_of_range"],
    [{ minPerOrder: 2 }, 1, 422, "quantity_out_of_range"],
    [{ maxPerUser: 2 }, 3, 409, "user_limit_reached"],
    [{ saleStartsAt: "2031-01-01T00:00:00Z" }, 1, 409, "not_on_sale"],
    [{ saleEndsAt: "2021-01-01T00:00:00Z" }, 1, 409, "not_on_sale"],
  ])("of a type with %j and quantity %i is refused with %i %s, and nothing is held", async (type, quantity, status, code) => {
    const sale = await openSale(type);
    const buyer = await sale.makeBuyer();
    expect(await buy(sale, buyer, quantity)).toMatchObject({ status, body: { code, errors: [{ path: sale.typeId }] } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 0 });
  });

  it.each([1, 5])("of %i tickets, which no order may have, is not quoted either", async (quantity) => {
    const sale = await openSale({ minPerOrder: 2, maxPerOrder: 4 });
    const buyer = await sale.makeBuyer();
    const refused = { status: 422, body: { code: "quantity_out_of_range", errors: [{ path: sale.typeId }] } };
    expect(await buyer.call("POST", "/api/v1/purchase/quote", { body: sale.basket(quantity) })).toMatchObject(refused);
    expect(await buy(sale, buyer, quantity)).toMatchObject(refused);
  });

  it.each(["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"])(
    "through a provider that is not set up, for want of %s, is refused before anything is held",
    async (missing) => {
      const sale = await openSale();
      const { token } = await sale.makeBuyer();
      const response = await makeApp({ env: { [missing]: "" } }).fetch("/api/v1/purchase", {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "idempotency-key": "stripe" },
        body: JSON.stringify({ ...sale.basket(1), paymentProvider: "stripe" }),
      });
      expect(await readProblem(response)).toMatchObject({ status: 422, code: "payment_provider_unavailable" });
      expect(await sale.readStock()).toMatchObject({ heldCount: 0 });
    },
  );

  it("whose provider is down can be sent again, and is then one order with one payment", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    books.isDown = true;
    const failed = await buy(sale, buyer, 1, "patient");
    expect(failed).toMatchObject({ status: 503, body: { code: "payment_provider_down" } });
    expect(Number(failed.headers.get("retry-after"))).toBeGreaterThan(0);
    books.isDown = false;
    const order = await buy(sale, buyer, 1, "patient");
    expect(order).toMatchObject({ status: 201, body: { payment: { id: paymentIdOf(idOf(order)) } } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 1 });
  });
});

describe("a reservation", () => {
  it("is held for its buyer, bought by its id without holding again, and can't be given back then", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const held = await hold(sale, buyer, 2);
    expect(held).toMatchObject({
      status: 201,
      body: { status: "ACTIVE", tickets: [{ ticketTypeId: sale.typeId, quantity: 2 }] },
    });
    const path = `/api/v1/tickets/reservations/${idOf(held)}`;
    expect((await buyer.call("GET", path)).body).toEqual(held.body);
    const body = { reservationId: idOf(held) };
    const quote = await buyer.call("POST", "/api/v1/purchase/quote", { body });
    const order = await buyer.call("POST", "/api/v1/purchase", { key: "held", body });
    expect(order.body).toMatchObject({ ...quote.body, totalCents: 9_000, reservation: { id: idOf(held) } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 2 });
    expect(await buyer.call("DELETE", path)).toMatchObject({ status: 409, body: { code: "reservation_not_active" } });
    const second = await buyer.call("POST", "/api/v1/purchase", { key: "held twice", body });
    expect(second).toMatchObject({ status: 409, body: { code: "reservation_not_active" } });
  });

  it("is on sale again once given back, and giving it back again changes nothing", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const path = `/api/v1/tickets/reservations/${idOf(await hold(sale, buyer, 2))}`;
    expect((await buyer.call("DELETE", path)).status).toBe(204);
    expect(await sale.readStock()).toMatchObject({ heldCount: 0, availableCount: 10 });
    expect((await buyer.call("DELETE", path)).status).toBe(204);
    expect((await buyer.call("GET", path)).body).toMatchObject({ status: "CANCELLED" });
    expect((await buyer.call("GET", sale.path)).body).toMatchObject({ heldCount: 0 });
  });
});

describe("an order's cancellation", () => {
  it("puts its stock back on sale at once, and repeats its answer under its key", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const path = `/api/v1/orders/${idOf(await buy(sale, buyer, 2))}/cancel`;
    const cancelled = await buyer.call("POST", path, { key: "stop" });
    expect(cancelled).toMatchObject({ status: 200, body: { status: "CANCELLED" } });
    expect(await sale.readStock()).toMatchObject({ heldCount: 0 });
    const again = await buyer.call("POST", path, { key: "stop" });
    expect(again).toMatchObject({ status: 200, body: cancelled.body });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("ends the order once: who asks again under another key is told that it is not pending any more", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const path = `/api/v1/orders/${idOf(await buy(sale, buyer))}/cancel`;
    expect((await buyer.call("POST", path, { key: "stop" })).status).toBe(200);
    expect(await buyer.call("POST", path, { key: "stop again" })).toMatchObject({
      status: 409,
      body: { code: "order_not_pending" },
    });
  });

  it("comes too late for a paid order, with the same refusal each time it is sent", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const orderId = idOf(await buy(sale, buyer));
    expect((await deliver({ orderId, amountCents: 4_500 })).status).toBe(200);
    const path = `/api/v1/orders/${orderId}/cancel`;
    const refused = await buyer.call("POST", path, { key: "late" });
    expect(refused).toMatchObject({ status: 409, body: { code: "order_not_pending" } });
    const again = await buyer.call("POST", path, { key: "late" });
    expect(again).toMatchObject({ status: 409, body: { code: "order_not_pending" } });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    await flushDeskOf(orderId);
    expect((await buyer.call("GET", "/api/v1/tickets")).body["items"]).toHaveLength(1);
  });
});
