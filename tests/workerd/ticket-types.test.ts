import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import type { InventoryPort } from "#domain/inventory-messages";
import { ticketTypeShape } from "#http/routes/ticket-types/ticket-type-shape";
import { createTicketType } from "#services/ticket-type/create-ticket-type";
import { findTicketType } from "#services/ticket-type/find-ticket-type";
import { listTicketTypes } from "#services/ticket-type/list-ticket-types";
import { brokenDb, callService, closeInventories, makeEvent, makeOrganiser, makeType } from "../support/organiser.ts";
import { hold, openSale, pathOf, readType, sell } from "../support/sale-of-type.ts";

afterEach(closeInventories);

const FIELDS = {
  name: "Balcony",
  description: null,
  priceCents: 1_000,
  saleStartsAtMs: null,
  saleEndsAtMs: null,
  minPerOrder: 1,
  maxPerOrder: 10,
  maxPerUser: null,
  reservationTtlSeconds: 600,
  transferable: true,
  feeCents: 0,
  taxRateBps: 0,
};

describe("a ticket type", () => {
  it("reads to anyone as its organiser described it, with the contract's defaults and its stock", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    const described = { eventId, name: "Floor", priceCents: 4_500, quantity: 10 };
    const made = await organiser.call("POST", "/api/v1/tickets/types", described);
    expect(made.status).toBe(201);
    const type = ticketTypeShape.strict().parse(made.body);
    expect(type).toEqual({
      ...described,
      id: type.id,
      description: null,
      currency: "EUR",
      heldCount: 0,
      soldCount: 0,
      availableCount: 10,
      availability: "available",
      status: "ACTIVE",
      saleStartsAt: null,
      saleEndsAt: null,
      minPerOrder: 1,
      maxPerOrder: 10,
      maxPerUser: null,
      reservationTtlSeconds: 600,
      transferable: true,
      feeCents: 0,
      taxRateBps: 0,
    });
    expect(await readType(type.id)).toEqual({ status: 200, body: made.body });
    const list = await callService("GET", `/api/v1/tickets/events/${eventId}/types`);
    expect(list).toEqual({ status: 200, body: { items: [made.body] } });
  });

  it("changes in what is given and nothing else, and null takes away what it can be without", async () => {
    const { organiser, typeId } = await openSale({
      saleEndsAt: "2031-01-01T00:00:00.000Z",
      maxPerUser: 4,
      description: "Standing",
    });
    const before = (await readType(typeId)).body;
    const changed = await organiser.call("PUT", pathOf(typeId), { priceCents: 9_900, saleEndsAt: null, quantity: 20 });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      ...ticketTypeShape.parse(before),
      priceCents: 9_900,
      saleEndsAt: null,
      quantity: 20,
      availableCount: 20,
    });
    expect((await readType(typeId)).body).toEqual(changed.body);
  });

  it.each([
    [{ quantity: 0 }, "quantity", "too_small"],
    [{ quantity: 1.5 }, "quantity", "invalid_type"],
    [{ priceCents: -1 }, "priceCents", "too_small"],
    [{ reservationTtlSeconds: 4 }, "reservationTtlSeconds", "too_small"],
    [{ taxRateBps: 10_001 }, "taxRateBps", "too_big"],
    [{ soldCount: 0 }, "soldCount", "unknown_field"],
    [{ minPerOrder: 5, maxPerOrder: 4 }, "maxPerOrder", "below_minimum"],
    [{ minPerOrder: 5, maxPerUser: 4 }, "maxPerUser", "below_minimum"],
    [{ saleStartsAt: "2031-01-01T00:00:00Z", saleEndsAt: "2031-01-01T00:00:00Z" }, "saleEndsAt", "not_after_start"],
  ])("is neither made of nor changed to %j, and the field is named", async (change, path, code) => {
    const { organiser, eventId, typeId } = await openSale();
    const before = await readType(typeId);
    const refusal = { status: 400, body: { code: "validation_failed", errors: [{ path, code }] } };
    const described = { eventId, name: "Floor", priceCents: 4_500, quantity: 10, ...change };
    expect(await organiser.call("POST", "/api/v1/tickets/types", described)).toMatchObject(refusal);
    expect(await organiser.call("PUT", pathOf(typeId), change)).toMatchObject(refusal);
    expect(await readType(typeId)).toEqual(before);
  });

  it("stays with its event", async () => {
    const { organiser, eventId, typeId } = await openSale();
    const otherEventId = await makeEvent(organiser);
    const moved = await organiser.call("PUT", pathOf(typeId), { eventId: otherEventId });
    expect(moved).toMatchObject({ status: 400, body: { errors: [{ path: "eventId", code: "immutable" }] } });
    expect((await organiser.call("PUT", pathOf(typeId), { eventId })).status).toBe(200);
  });

  it("is not there for organisers of another tenant, nor can they sell tickets of a foreign event", async () => {
    const { eventId, typeId } = await openSale();
    const stranger = await makeOrganiser("admin");
    const before = await readType(typeId);
    const described = { eventId, name: "Fake", priceCents: 1, quantity: 1 };
    expect((await stranger.call("POST", "/api/v1/tickets/types", described)).status).toBe(404);
    expect((await stranger.call("PUT", pathOf(typeId), { priceCents: 1 })).status).toBe(404);
    expect((await stranger.call("DELETE", pathOf(typeId))).status).toBe(404);
    expect(await readType(typeId)).toEqual(before);
    const list = await callService("GET", `/api/v1/tickets/events/${eventId}/types`);
    expect(list.body).toEqual({ items: [before.body] });
  });

  it("gets a number of its own within the event, however many are made at once", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    await Promise.all(["A", "B", "C", "D", "E"].map((name) => makeType(organiser, eventId, { name })));
    const { results } = await env.DB.prepare("SELECT number FROM ticket_types WHERE event_id = ? ORDER BY number")
      .bind(eventId)
      .all();
    expect(results.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  });

  it("is on sale at its inventory before anyone can see it, and never stored without", async () => {
    const organiser = await makeOrganiser();
    const eventId = await makeEvent(organiser);
    const inventory = (): InventoryPort =>
      ({ configure: () => Promise.reject(new Error("the inventory is down")) }) as unknown as InventoryPort; // nothing else is asked
    const made = createTicketType(organiser.contextWith({ inventory }), { ...FIELDS, eventId, quantity: 5 });
    await expect(made).rejects.toThrow("the inventory is down");
    expect(await env.DB.prepare("SELECT 1 FROM ticket_types WHERE event_id = ?").bind(eventId).first()).toBeNull();
  });
});

describe("the stock that a buyer reads", () => {
  it("goes from available over reserved to sold out, and back when a hold is given back", async () => {
    const { organiser, typeId } = await openSale({ quantity: 4 });
    // A request half a second from now, past what this isolate remembers.
    const read = (): Promise<unknown> => findTicketType(organiser.contextWith({ nowMs: Date.now() + 501 }), typeId);
    await sell(organiser, typeId, 3);
    expect(await read()).toMatchObject({
      ok: true,
      value: { availability: "available", soldCount: 3, heldCount: 0, availableCount: 1 },
    });
    const reservationId = await hold(organiser, typeId, 1);
    expect(await read()).toMatchObject({
      ok: true,
      value: { availability: "reserved", soldCount: 3, heldCount: 1, availableCount: 0 },
    });
    const { tenantId } = organiser;
    await env.TICKET_TYPE_INVENTORY.getByName(typeId).release({
      tenantId,
      reservationId,
      actor: "test",
      cause: "changed mind",
    });
    await sell(organiser, typeId, 1);
    expect(await read()).toMatchObject({
      ok: true,
      value: { availability: "sold_out", soldCount: 4, heldCount: 0, availableCount: 0 },
    });
  });

  it("is a number that D1 hears too when the organiser changes it", async () => {
    const { organiser, typeId } = await openSale({ quantity: 4 });
    await organiser.call("PUT", pathOf(typeId), { quantity: 9 });
    const stub = env.TICKET_TYPE_INVENTORY.getByName(typeId);
    await expect
      .poll(async () => {
        await runDurableObjectAlarm(stub);
        return env.DB.prepare("SELECT quantity FROM ticket_types WHERE id = ?").bind(typeId).first();
      })
      .toEqual({ quantity: 9 });
  });

  it("stays as the organiser last set it when something else is changed before D1 has heard", async () => {
    const { organiser, typeId } = await openSale({ quantity: 4 });
    await organiser.call("PUT", pathOf(typeId), { quantity: 9 });
    await env.DB.prepare("UPDATE ticket_types SET quantity = 4 WHERE id = ?").bind(typeId).run();
    const renamed = await organiser.call("PUT", pathOf(typeId), { name: "Stalls" });
    expect(renamed).toMatchObject({ status: 200, body: { name: "Stalls", quantity: 9, availableCount: 9 } });
  });

  it("never shrinks below what is held and sold, and the refusal says how much that is", async () => {
    const { organiser, typeId } = await openSale({ quantity: 10 });
    await sell(organiser, typeId, 3);
    await hold(organiser, typeId, 2);
    const refused = await organiser.call("PUT", pathOf(typeId), { quantity: 4, name: "Smaller" });
    expect(refused).toMatchObject({ status: 409, body: { code: "capacity_below_committed" } });
    expect((await organiser.call("PUT", pathOf(typeId), { priceCents: 1 })).body).toMatchObject({
      quantity: 10,
      name: "Floor",
    });
    const shrunk = await organiser.call("PUT", pathOf(typeId), { quantity: 5 });
    expect(shrunk).toMatchObject({ status: 200, body: { quantity: 5, availableCount: 0, availability: "reserved" } });
  });

  it("can be read while D1 is down", async () => {
    const { organiser, eventId, typeId } = await openSale();
    const nowMs = Date.now();
    await listTicketTypes(organiser.contextWith({ nowMs }), eventId);
    await sell(organiser, typeId, 2);
    const listed = await listTicketTypes(organiser.contextWith({ db: brokenDb, nowMs: nowMs + 60_000 }), eventId);
    expect(listed).toMatchObject({ ok: true, value: [{ id: typeId, soldCount: 2, availableCount: 8 }] });
  });
});
