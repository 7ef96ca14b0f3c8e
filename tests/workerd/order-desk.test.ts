import { describe, expect, it, vi } from "vitest";
import { deriveIdWithin, hashParts } from "#domain/ids";
import { HOLD_MS, inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";

async function placeOne(world: DeskWorld, desk: TestDesk, key = "key"): Promise<string> {
  const [ticketTypeId] = world.ticketTypeIds;
  const placed = await desk.place(world.place(key, [{ ticketTypeId: ticketTypeId ?? "", quantity: 1 }]));
  if (!placed.ok) throw new Error(placed.failure.code);
  await desk.attachPayment(world.tenantId, placed.value.id, world.payment(placed.value.id));
  return placed.value.id;
}

describe("a purchase sent again", () => {
  it("has one effect and one answer when twenty arrive at once", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const command = world.place("key", [{ ticketTypeId, quantity: 2 }]);
      const answers = await Promise.all(Array.from({ length: 20 }, () => desk.place(command)));
      expect(new Set(answers.map((answer) => answer.ok && answer.value.orderNumber)).size).toBe(1);
      expect(answers.filter((answer) => !answer.replayed)).toHaveLength(1);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 2, soldCount: 0 });
    }));

  it("gets the first answer again, word for word, after a restart and after the order was paid, cancelled or expired", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      for (const end of ["pay", "cancel", "expire"]) {
        let desk = world.openDesk();
        const id = await placeOne(world, desk, end);
        const first = await desk.findOrder(world.tenantId, id);
        const [ticketTypeId] = world.ticketTypeIds;
        const command = world.place(end, [{ ticketTypeId: ticketTypeId ?? "", quantity: 1 }]);
        if (end === "pay") await desk.settle(world.news(id));
        if (end === "cancel") await desk.cancel({ request: world.request(`c-${end}`, "", "cancel"), orderId: id });
        if (end === "expire") vi.setSystemTime(Date.now() + HOLD_MS);
        await world.settleDown(desk, 40);
        desk = world.openDesk();
        expect((await desk.findOrder(world.tenantId, id))?.status).not.toBe("PENDING");
        expect(await desk.place(command)).toEqual({ ok: true, value: first, replayed: true, stock: [] });
        expect(await desk.findPlaceAnswer(command.request)).toEqual({ ok: true, value: first, replayed: true, stock: [] });
      }
    }));

  it("with another body is refused, also while the first is under way", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const [one, two] = await Promise.all([
        desk.place(world.place("key", [{ ticketTypeId, quantity: 1 }])),
        desk.place(world.place("key", [{ ticketTypeId, quantity: 3 }])),
      ]);
      expect(one.ok).toBe(true);
      expect(two).toMatchObject({ ok: false, failure: { code: "idempotency_key_reused" } });
      expect(await desk.place(world.place("key", [{ ticketTypeId, quantity: 3 }]))).toMatchObject({
        failure: { code: "idempotency_key_reused" },
      });
      expect(world.stock(ticketTypeId).heldCount).toBe(1);
    }));

  it("gets its refusal again although there is stock by then", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      await placeOne(world, desk, "first");
      const command = world.place("key", [{ ticketTypeId, quantity: 1 }]);
      const refusal = await desk.place(command);
      expect(refusal).toMatchObject({
        ok: false,
        failure: { code: "sold_out", shortages: [{ ticketTypeId, availableCount: 0 }] },
        replayed: false,
      });
      vi.setSystemTime(Date.now() + HOLD_MS);
      expect(await world.openDesk().place(command)).toEqual({ ...refusal, stock: [], replayed: true });
      expect(world.stock(ticketTypeId).heldCount).toBe(0);
    }));

  it("does not offer a payment for an order that ended before it was told of", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const command = world.place("key", [{ ticketTypeId, quantity: 1 }]);
      await desk.place(command);
      vi.setSystemTime(Date.now() + HOLD_MS);
      expect(await desk.place(command)).toMatchObject({ ok: true, value: { status: "EXPIRED", payment: null } });
    }));

  it("fails for every waiter when the stock cannot be asked, and then goes through", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const command = world.place("key", [{ ticketTypeId, quantity: 1 }]);
      world.fault = (call) => (call === "reserve" ? "fails" : "ok");
      const answers = await Promise.allSettled([desk.place(command), desk.place(command)]);
      expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected"]);
      world.fault = () => "ok";
      expect(await desk.place(command)).toMatchObject({ ok: true, replayed: false });
    }));
});

describe("a basket of several types", () => {
  it("is held whole or not at all", () =>
    inDeskWorld(async (world) => {
      const [plenty, none] = [await world.addType(10), await world.addType(0)];
      const desk = world.openDesk();
      const command = world.place("key", [
        { ticketTypeId: plenty, quantity: 2 },
        { ticketTypeId: none, quantity: 1 },
      ]);
      expect(await desk.place(command)).toMatchObject({
        ok: false,
        failure: { code: "sold_out", shortages: [{ ticketTypeId: none }] },
      });
      expect(world.stock(plenty)).toEqual({ heldCount: 0, soldCount: 0 });
    }));

  it("gets the same refusal again when the desk died before it gave the other line back", () =>
    inDeskWorld(async (world) => {
      const [plenty, none] = [await world.addType(10), await world.addType(0)];
      const command = world.place("key", [
        { ticketTypeId: plenty, quantity: 2 },
        { ticketTypeId: none, quantity: 1 },
      ]);
      world.fault = (call) => (call === "release" ? "dies_after" : "ok");
      expect(await world.untilDeath(() => world.openDesk().place(command))).toBeUndefined();
      expect(await world.openDesk().place(command)).toMatchObject({ failure: { code: "sold_out" }, replayed: true });
    }));
});

describe("a hold made earlier", () => {
  it("becomes exactly one of two orders that want it at once", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const lines = [{ ticketTypeId, quantity: 2 }];
      const hold = await desk.hold({ request: world.request("hold", "", "hold"), eventId: world.eventId, lines });
      if (!hold.ok) throw new Error(hold.failure.code);
      const placeUnder = (key: string) => desk.place({ ...world.place(key, lines), reservationId: hold.value.id });
      const orders = await Promise.all([placeUnder("a"), placeUnder("b")]);
      expect(orders.map((order) => (order.ok ? "placed" : order.failure.code)).toSorted()).toEqual([
        "placed",
        "reservation_not_active",
      ]);
      expect(world.stock(ticketTypeId).heldCount).toBe(2);
      expect(await desk.releaseHold(world.tenantId, world.userId, hold.value.id)).toMatchObject({
        failure: { code: "reservation_not_active" },
      });
    }));

  it("is given back once, and a purchase after that is refused", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const lines = [{ ticketTypeId, quantity: 2 }];
      const request = world.request("hold", "", "hold");
      const hold = await desk.hold({ request, eventId: world.eventId, lines });
      for (const _ of [1, 2])
        expect(await desk.releaseHold(world.tenantId, world.userId, request.requestId)).toMatchObject({ ok: true });
      expect(world.stock(ticketTypeId).heldCount).toBe(0);
      expect(await desk.hold({ request, eventId: world.eventId, lines })).toEqual({ ...hold, stock: [], replayed: true });
      expect(await desk.place({ ...world.place("a", lines), reservationId: request.requestId })).toMatchObject({
        failure: { code: "reservation_not_active" },
      });
    }));

  it("is nobody else's", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const request = world.request("hold", "", "hold");
      await desk.hold({ request, eventId: world.eventId, lines: [{ ticketTypeId, quantity: 1 }] });
      expect(await desk.findHold(crypto.randomUUID(), request.requestId)).toBeUndefined();
      expect(await desk.releaseHold(world.tenantId, crypto.randomUUID(), request.requestId)).toMatchObject({
        failure: { code: "not_found" },
      });
    }));
});

describe("a cancellation", () => {
  it("gives the stock back before its answer, and sent again gets that answer whatever came after", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOne(world, desk);
      const command = { request: world.request("c", "", "cancel"), orderId };
      const [first, second] = await Promise.all([desk.cancel(command), desk.cancel(command)]);
      expect(first).toMatchObject({ ok: true, value: { status: "CANCELLED" }, replayed: false });
      expect(second).toEqual({ ...first, replayed: true });
      expect(world.stock(ticketTypeId).heldCount).toBe(0);
      await desk.settle(world.news(orderId));
      await world.settleDown(desk);
      expect(await world.openDesk().cancel(command)).toEqual({ ...first, replayed: true });
    }));

  it("under a key that cancelled another order is refused, and so is a second one under a key of its own", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const [one, two] = [await placeOne(world, desk, "one"), await placeOne(world, desk, "two")];
      const request = world.request("c", "", "cancel");
      await desk.cancel({ request, orderId: one });
      expect(await desk.cancel({ request, orderId: two })).toMatchObject({ failure: { code: "idempotency_key_reused" } });
      expect((await desk.findOrder(world.tenantId, two))?.status).toBe("PENDING");
      expect(await desk.cancel({ request: world.request("d", "", "cancel"), orderId: one })).toMatchObject({
        failure: { code: "order_not_pending" },
        replayed: false,
      });
    }));

  it("of a paid, an expired or somebody else's order is refused, and the refusal stays", () =>
    inDeskWorld(async (world) => {
      await world.addType(3);
      const desk = world.openDesk();
      const [paid, other] = [await placeOne(world, desk, "paid"), await placeOne(world, desk, "other")];
      await desk.settle(world.news(paid));
      const request = world.request("c", "", "cancel");
      for (const replayed of [false, true]) {
        expect(await desk.cancel({ request, orderId: paid })).toMatchObject({
          failure: { code: "order_not_pending" },
          replayed,
        });
      }
      const stranger = { ...world.request("s", "", "cancel"), userId: crypto.randomUUID() };
      expect(await desk.cancel({ request: stranger, orderId: other })).toMatchObject({ failure: { code: "not_found" } });
      vi.setSystemTime(Date.now() + HOLD_MS);
      expect(await desk.cancel({ request: world.request("e", "", "cancel"), orderId: other })).toMatchObject({
        failure: { code: "order_not_pending" },
      });
    }));

  it("and a payment at the same instant leave the order either paid with its tickets, or cancelled with its money on the way back", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(20);
      const desk = world.openDesk();
      for (let round = 0; round < 10; round += 1) {
        const orderId = await placeOne(world, desk, `race-${round}`);
        const cancel = (): Promise<unknown> => desk.cancel({ request: world.request(`c-${round}`, "", "cancel"), orderId });
        const settle = (): Promise<unknown> => desk.settle(world.news(orderId));
        // A cancellation is looked up before it is decided, so the payment wins unless it comes a turn later.
        const aTurnLater = async (): Promise<unknown> => world.state.storage.sync().then(settle);
        await Promise.all(round % 2 === 0 ? [cancel(), aTurnLater()] : [settle(), cancel()]);
        const order = await desk.findOrder(world.tenantId, orderId);
        const tickets = await desk.listTicketsOfOrder(world.tenantId, orderId);
        await world.settleDown(desk);
        const refund = world.refunds.has(deriveIdWithin(orderId, ["refund", "standard", `pay-${orderId}`]));
        expect([order?.status, tickets.length, refund]).toEqual(
          round % 2 === 0 ? ["CANCELLED", 0, true] : ["AWAITING_MINT", 1, false],
        );
      }
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 5 });
    }));
});

it("keeps the reads of one buyer from everybody else", () =>
  inDeskWorld(async (world) => {
    await world.addType(3);
    const desk = world.openDesk();
    const orderId = await placeOne(world, desk);
    await desk.settle(world.news(orderId));
    const [ticket] = await desk.listTicketsOfOrder(world.tenantId, orderId);
    const foreign = hashParts(["foreign"]);
    expect(await desk.findOrder(foreign, orderId)).toBeUndefined();
    expect(await desk.findTicket(foreign, ticket?.id ?? "")).toBeUndefined();
    expect(await desk.listTicketsOfOrder(foreign, orderId)).toEqual([]);
    expect(await desk.listRecentOrders(world.tenantId, foreign)).toEqual([]);
    expect(await desk.listRecentTickets(foreign, world.userId)).toEqual([]);
    expect(await desk.findTicket(world.tenantId, ticket?.id ?? "")).toEqual(ticket);
    expect(await desk.listRecentTickets(world.tenantId, world.userId)).toEqual([ticket]);
  }));
