import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import fc from "fast-check";
import { signIn, type Caller, type CheckedAnswer } from "../support/contract-call.ts";
import { flushDeskOf, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

const DISCOUNTS = "/api/v1/discounts";
const TEN_PERCENT = { type: "percentage", percentBps: 1_000 };

let sale: Sale;
let buyer: Caller;

beforeAll(() => {
  serveOutside();
});
beforeEach(async () => {
  sale = await openSale({ taxRateBps: 1_900, feeCents: 100, quantity: 200, maxPerOrder: 50 });
  buyer = await sale.makeBuyer();
});

function post(body: Readonly<Record<string, unknown>>): Promise<CheckedAnswer> {
  return sale.manager.call("POST", DISCOUNTS, { body });
}

async function makeCode(code: string, terms: Readonly<Record<string, unknown>>): Promise<string> {
  return idOf(await post({ code, ...terms }));
}

function quote(discountCodes: readonly string[], quantity = 2): Promise<CheckedAnswer> {
  return buyer.call("POST", "/api/v1/purchase/quote", { body: { ...sale.basket(quantity), discountCodes } });
}

function purchase(discountCodes: readonly string[], quantity = 2, key: string = crypto.randomUUID()): Promise<CheckedAnswer> {
  return buyer.call("POST", "/api/v1/purchase", { key, body: { ...sale.basket(quantity), discountCodes } });
}

describe("a discount", () => {
  it("reads as it was made, whatever its type, with the contract's defaults", async () => {
    const defaults = { validFrom: null, validUntil: null, ticketTypeIds: null, minQuantity: null, minSubtotalCents: null };
    const caps = { maxUses: null, maxUsesUnit: "orders", maxUsesPerUser: null, stackable: false, heldCount: 0, usedCount: 0 };
    const until = "2031-05-01T18:00:00.000Z";
    const made = [
      { code: "A", ...TEN_PERCENT },
      { code: "b", type: "fixed", amountCents: 500, scope: "order" },
      { code: "C", type: "bogo", buyQuantity: 2, getQuantity: 1 },
      { code: "D", type: "early_bird", amountCents: 300, until },
      { code: "E", type: "early_bird", percentBps: 500, firstTickets: 9 },
    ];
    const shown = [];
    for (const body of made) {
      const answer = await post(body);
      expect(answer).toMatchObject({ status: 201, body: { ...defaults, ...caps, ...body } });
      shown.unshift(answer.body);
    }
    expect(shown[2]).toMatchObject({ percentOffBps: 10_000 });
    const first = await sale.manager.call("GET", `${DISCOUNTS}?limit=3`);
    const second = await sale.manager.call("GET", `${DISCOUNTS}?limit=3&cursor=${String(first.body["nextCursor"])}`);
    const listed = [...(first.body["items"] as unknown[]), ...(second.body["items"] as unknown[])];
    expect(new Set(listed)).toEqual(new Set(shown));
    expect(second.body["nextCursor"]).toBeNull();
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ["percent over 100", { type: "percentage", percentBps: 10_001 }, "percentBps"],
    ["no percent", { type: "percentage" }, "percentBps"],
    ["0 percent", { type: "percentage", percentBps: 0 }, "percentBps"],
    [
      "a window that ends before it starts",
      { ...TEN_PERCENT, validFrom: "2031-01-02T00:00:00Z", validUntil: "2031-01-01T00:00:00Z" },
      "validUntil",
    ],
    [
      "a window of no time",
      { ...TEN_PERCENT, validFrom: "2031-01-01T00:00:00Z", validUntil: "2031-01-01T00:00:00Z" },
      "validUntil",
    ],
    ["both of two exclusive fields", { type: "early_bird", percentBps: 1, amountCents: 1, firstTickets: 1 }, "percentBps"],
    ["neither of two exclusive fields", { type: "early_bird", firstTickets: 1 }, "percentBps"],
    ["an early bird without an end", { type: "early_bird", percentBps: 1 }, "until"],
    ["a field of another type", { ...TEN_PERCENT, amountCents: 5 }, "amountCents"],
    ["a fixed discount without a scope", { type: "fixed", amountCents: 5 }, "scope"],
    ["a type nobody knows", { type: "gift", percentBps: 1 }, "type"],
    ["a field nobody knows", { ...TEN_PERCENT, percent: 1 }, "percent"],
    ["0 uses", { ...TEN_PERCENT, maxUses: 0 }, "maxUses"],
    ["half a use", { ...TEN_PERCENT, maxUses: 1.5 }, "maxUses"],
    ["a ticket type that is not there", { ...TEN_PERCENT, ticketTypeIds: [crypto.randomUUID()] }, "ticketTypeIds.0"],
    ["a blank in its code", { ...TEN_PERCENT, code: "A B" }, "code"],
  ])("with %s is refused by that field's name, and nothing is made", async (_, terms, path) => {
    const refused = await post({ code: "BAD", ...terms });
    expect(refused).toMatchObject({ status: 400, body: { code: "validation_failed" } });
    expect((refused.body["errors"] as { path: string }[]).map((error) => error.path)).toContain(path);
    expect((await sale.manager.call("GET", DISCOUNTS)).body).toEqual({ items: [], nextCursor: null });
  });

  it("refuses a change that would make it one of these, and stays as it was", async () => {
    const id = await makeCode("WINDOW", { ...TEN_PERCENT, validFrom: "2031-01-02T00:00:00Z", maxUses: 5 });
    const before = (await sale.manager.call("GET", DISCOUNTS)).body;
    for (const body of [
      { validUntil: "2031-01-01T00:00:00Z" },
      { percentBps: null },
      { amountCents: 5 },
      { type: "bogo" },
      { maxUsesUnit: "tickets" },
      { percentBps: 20_000 },
    ]) {
      expect(await sale.manager.call("PUT", `${DISCOUNTS}/${id}`, { body })).toMatchObject({ status: 400 });
    }
    expect((await sale.manager.call("GET", DISCOUNTS)).body).toEqual(before);
  });

  it("shares its code with no other of the tenant, in upper or lower case, until it is archived", async () => {
    const id = await makeCode("Spring", TEN_PERCENT);
    const taken = { status: 409, body: { code: "discount_code_taken" } };
    expect(await post({ code: "sPRING", ...TEN_PERCENT })).toMatchObject(taken);
    const other = await makeCode("Summer", TEN_PERCENT);
    expect(await sale.manager.call("PUT", `${DISCOUNTS}/${other}`, { body: { code: "spring" } })).toMatchObject(taken);
    const stranger = await signIn("venue_manager", crypto.randomUUID());
    expect(await stranger.call("POST", DISCOUNTS, { body: { code: "Spring", ...TEN_PERCENT } })).toMatchObject({ status: 201 });
    expect(await sale.manager.call("DELETE", `${DISCOUNTS}/${id}`)).toMatchObject({ status: 204 });
    expect(await post({ code: "SPRING", ...TEN_PERCENT })).toMatchObject({ status: 201 });
  });

  it("of another tenant is not there, to its organisers and to its buyers", async () => {
    const id = await makeCode("OURS", TEN_PERCENT);
    const stranger = await signIn("admin", crypto.randomUUID());
    expect((await stranger.call("GET", DISCOUNTS)).body).toEqual({ items: [], nextCursor: null });
    for (const method of ["PUT", "DELETE"]) {
      const body = method === "PUT" ? { body: { percentBps: 1 } } : {};
      expect(await stranger.call(method, `${DISCOUNTS}/${id}`, body)).toMatchObject({ status: 404 });
    }
    // Known to this isolate by now, and still not to others.
    expect(await quote(["OURS"])).toMatchObject({ status: 200 });
    const elsewhere = await openSale();
    const stolen = { ...TEN_PERCENT, code: "STOLEN", ticketTypeIds: [elsewhere.typeId] };
    expect(await stranger.call("POST", DISCOUNTS, { body: stolen })).toMatchObject({
      status: 400,
      body: { errors: [{ path: "ticketTypeIds.0", code: "unknown_ticket_type" }] },
    });
    const body = { ...elsewhere.basket(1), discountCodes: ["OURS"] };
    const quoted = await (await elsewhere.makeBuyer()).call("POST", "/api/v1/purchase/quote", { body });
    expect(quoted).toMatchObject({ status: 409, body: { code: "discount_unknown" } });
  });

  it("that was archived is refused to new buyers and kept by those who have its price", async () => {
    const id = await makeCode("GONE", { ...TEN_PERCENT, maxUses: 5 });
    const held = await purchase(["GONE"]);
    expect(held).toMatchObject({ status: 201, body: { discountCents: 900 } });
    for (let time = 0; time < 2; time += 1) {
      expect(await sale.manager.call("DELETE", `${DISCOUNTS}/${id}`)).toMatchObject({ status: 204 });
    }
    expect(await purchase(["GONE"])).toMatchObject({ status: 409, body: { code: "discount_unknown" } });
    expect(await sale.manager.call("PUT", `${DISCOUNTS}/${id}`, { body: { percentBps: 1 } })).toMatchObject({ status: 404 });
    const order = await buyer.call("GET", `/api/v1/orders/${idOf(held)}`);
    expect(order.body).toMatchObject({ status: "PENDING", discountCents: 900 });
  });
});

describe("a code that may not be used", () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["discount_not_started", { ...TEN_PERCENT, validFrom: "2031-01-01T00:00:00Z" }],
    ["discount_expired", { ...TEN_PERCENT, validUntil: "2021-01-01T00:00:00Z" }],
    ["discount_expired", { type: "early_bird", percentBps: 100, until: "2021-01-01T00:00:00Z" }],
    ["discount_not_applicable", { ...TEN_PERCENT, minQuantity: 3 }],
    ["discount_not_applicable", { type: "bogo", buyQuantity: 2, getQuantity: 1 }],
    ["discount_exhausted", { type: "early_bird", percentBps: 100, firstTickets: 1 }],
    ["discount_exhausted", { ...TEN_PERCENT, maxUses: 1, maxUsesUnit: "tickets" }],
  ])("is refused as %s by quote and purchase alike, and nothing is held", async (code, terms) => {
    const before = await sale.readStock();
    await makeCode("NO", terms);
    expect(await quote(["NO"])).toMatchObject({ status: 409, body: { code } });
    expect(await purchase(["no"])).toMatchObject({ status: 409, body: { code } });
    expect(await sale.readStock()).toMatchObject({ heldCount: before["heldCount"], soldCount: 0 });
  });

  it("is refused when it is unknown, given twice, or stands beside one that must stand alone", async () => {
    await makeCode("ONE", { ...TEN_PERCENT, stackable: true });
    await makeCode("ALONE", TEN_PERCENT);
    expect(await quote(["NOBODYS"])).toMatchObject({ status: 409, body: { code: "discount_unknown" } });
    expect(await quote(["ONE", "one"])).toMatchObject({ status: 400, body: { code: "validation_failed" } });
    expect(await quote(["ONE", "ALONE"])).toMatchObject({ status: 409, body: { code: "discount_not_stackable" } });
    expect(await quote(["ONE"])).toMatchObject({ status: 200 });
  });
});

describe("an order with a discount", () => {
  it("costs what its quote said, and D1 has its figures and which discount took them", async () => {
    const discountId = await makeCode("TEN", { ...TEN_PERCENT, maxUses: 3 });
    const quoted = await quote(["ten"], 5);
    const placed = await purchase(["ten"], 5);
    const figures = { subtotalCents: 22_500, discountCents: 2_250, feeCents: 500, taxCents: 3_315, totalCents: 20_750 };
    expect(quoted.body).toMatchObject(figures);
    expect(placed.body).toMatchObject({ ...figures, items: quoted.body["items"] });
    const orderId = idOf(placed);
    await flushDeskOf(orderId);
    const rows = await env.DB.prepare("SELECT discount_id, line_number, amount_cents FROM order_discounts WHERE order_id = ?")
      .bind(orderId)
      .all();
    expect(rows.results).toEqual([{ discount_id: discountId, line_number: 1, amount_cents: 2_250 }]);
  });

  it("that costs nothing is paid at once, and its use is used up", async () => {
    await makeCode("FREE", { type: "fixed", amountCents: 100_000, scope: "ticket", maxUses: 1 });
    const typeId = idOf(
      await sale.manager.call("POST", "/api/v1/tickets/types", {
        body: { eventId: sale.eventId, name: "Balcony", priceCents: 4_500, quantity: 10 },
      }),
    );
    const body = { eventId: sale.eventId, tickets: [{ ticketTypeId: typeId, quantity: 1 }], discountCodes: ["FREE"] };
    const free = await buyer.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body });
    expect(free).toMatchObject({ status: 201, body: { status: "AWAITING_MINT", totalCents: 0, payment: null } });
    const again = await buyer.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body });
    expect(again).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
  });

  it("may be for seats that were held before", async () => {
    await makeCode("HELD", { ...TEN_PERCENT, maxUses: 1 });
    const hold = await buyer.call("POST", "/api/v1/tickets/purchase", { key: crypto.randomUUID(), body: sale.basket(2) });
    const body = { reservationId: idOf(hold), discountCodes: ["HELD"] };
    const placed = await buyer.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body });
    expect(placed).toMatchObject({ status: 201, body: { discountCents: 900 } });
    expect(await purchase(["HELD"])).toMatchObject({ status: 409, body: { code: "discount_exhausted" } });
    const second = await buyer.call("POST", "/api/v1/purchase", {
      key: crypto.randomUUID(),
      body: { ...body, discountCodes: [] },
    });
    expect(second).toMatchObject({ status: 409, body: { code: "reservation_not_active" } });
  });

  it("always costs what its quote says, whatever the codes", { timeout: 120_000 }, async () => {
    const common = { stackable: true };
    await makeCode("P", { ...common, type: "percentage", percentBps: 1_234 });
    await makeCode("T", { ...common, type: "fixed", amountCents: 777, scope: "ticket", minQuantity: 3 });
    await makeCode("O", { ...common, type: "fixed", amountCents: 1_001, scope: "order", maxUses: 1_000 });
    await makeCode("B", { ...common, type: "bogo", buyQuantity: 2, getQuantity: 1, percentOffBps: 5_555 });
    await makeCode("E", { ...common, type: "early_bird", percentBps: 333, firstTickets: 1_000 });
    const other = idOf(
      await sale.manager.call("POST", "/api/v1/tickets/types", {
        body: { eventId: sale.eventId, name: "Balcony", priceCents: 3_333, quantity: 500, feeCents: 7, taxRateBps: 700 },
      }),
    );
    const codes = fc.uniqueArray(fc.constantFrom("P", "T", "O", "B", "E"), { maxLength: 5 });
    const quantity = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(codes, quantity, quantity, async (discountCodes, floor, balcony) => {
        const caller = await sale.makeBuyer();
        const tickets = [
          { ticketTypeId: sale.typeId, quantity: floor },
          { ticketTypeId: other, quantity: balcony },
        ];
        const body = { eventId: sale.eventId, tickets, discountCodes };
        const quoted = await caller.call("POST", "/api/v1/purchase/quote", { body });
        const placed = await caller.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body });
        if (quoted.status !== 200) {
          expect({ status: placed.status, code: placed.body["code"] }).toEqual({
            status: quoted.status,
            code: quoted.body["code"],
          });
          return;
        }
        const { eventId: _, ...figures } = quoted.body;
        expect(placed.body).toMatchObject(figures);
        const { subtotalCents, discountCents, feeCents, totalCents } = figures as Record<string, number>;
        expect(totalCents).toBe(Number(subtotalCents) - Number(discountCents) + Number(feeCents));
      }),
      { numRuns: 20 },
    );
  });
});
