import { describe, expect, it, vi } from "vitest";
import type { PaymentNews } from "#domain/order-messages";
import { HOLD_MS, inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";
import { placeOrder } from "../support/paid-order.ts";

/** What a buyer has in the end: the order's status, their tickets and the money on its way back. */
async function outcomeOf(
  world: DeskWorld,
  desk: TestDesk,
  orderId: string,
): Promise<readonly [string | undefined, number, number]> {
  await world.settleDown(desk);
  const order = await desk.findOrder(world.tenantId, orderId);
  const tickets = await desk.listTicketsOfOrder(world.tenantId, orderId);
  const refundedCents = [...world.refunds.values()].reduce((sum, refund) => sum + refund.amountCents, 0);
  return [order?.status, tickets.length, refundedCents];
}

describe("a payment", () => {
  it("issues its tickets once however often its event comes, at once and after a restart", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [3]);
      const news = world.news(orderId, { amountCents: 3_000 });
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => desk.settle(news)));
      expect(outcomes.filter((outcome) => outcome === "recorded")).toHaveLength(1);
      const reopened = world.openDesk();
      expect(await reopened.settle(news)).toBe("duplicate");
      expect(await reopened.settle({ ...news, eventId: "the same payment under another event" })).toBe("recorded");
      expect(await outcomeOf(world, reopened, orderId)).toEqual(["AWAITING_MINT", 3, 0]);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 3 });
      expect(await world.listRows("SELECT id FROM tickets WHERE order_id = ?", orderId)).toHaveLength(3);
      expect(world.queued).toHaveLength(3);
    }));

  it("waits with the others that come meanwhile for one call to its inventory, and each buys its own tickets", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const orderIds = await Promise.all([1, 2, 3].map((quantity) => placeOrder(world, desk, [quantity], `key ${quantity}`)));
      const news = orderIds.map((orderId, at) => world.news(orderId, { eventId: orderId, amountCents: (at + 1) * 1_000 }));
      await Promise.all(news.map((paid) => desk.settle(paid)));
      expect(world.calls.filter((call) => call === "confirm")).toHaveLength(2);
      const tickets = await Promise.all(orderIds.map((orderId) => desk.listTicketsOfOrder(world.tenantId, orderId)));
      expect(tickets.map(({ length }) => length)).toEqual([1, 2, 3]);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 6 });
    }));

  it("is told to D1 once, with the tickets that it bought, and also when the desk died before it had them", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [2]);
      await desk.alarm();
      world.fault = (call) => (call === "confirm" ? "dies_before" : "ok");
      await world.untilDeath(() => desk.settle(world.news(orderId, { amountCents: 2_000 })));
      const listTopics = (): unknown[] => world.rows("SELECT topic FROM outbox").map(({ topic }) => topic);
      expect(listTopics()).toEqual(["payment_event"]); // the order is on its way
      world.fault = (call) => (call === "d1" ? "fails" : "ok");
      const reopened = world.openDesk();
      vi.setSystemTime(Date.now() + 61_000);
      await reopened.alarm();
      expect(listTopics()).toEqual(["payment_event", "order"]);
      world.fault = () => "ok";
      await world.settleDown(reopened);
      expect(await world.listRows("SELECT id FROM tickets WHERE order_id = ?", orderId)).toHaveLength(2);
      const payment = await world.findRow("SELECT status FROM payments WHERE order_id = ?", orderId);
      expect([payment, (await world.findRow("SELECT status FROM orders WHERE id = ?", orderId))?.["status"]]).toEqual([
        { status: "SUCCEEDED" },
        "AWAITING_MINT",
      ]);
    }));

  it.each([
    ["another amount", { amountCents: 999, currency: "EUR" }],
    ["another currency", { amountCents: 1_000, currency: "USD" }],
  ])("of %s issues nothing and goes back, and the right one still buys", (_, changes) =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, changes));
      expect(await desk.listTicketsOfOrder(world.tenantId, orderId)).toEqual([]);
      expect(world.alerts).toEqual(["amount_mismatch"]);
      const right = world.news(orderId, { paymentId: "the right one" });
      await desk.settle(right);
      await desk.settle({ ...right, eventId: "the right one again" });
      expect(await outcomeOf(world, desk, orderId)).toEqual(["AWAITING_MINT", 1, changes.amountCents]);
      expect(
        await world.listRows("SELECT payment_id, amount_cents, status, reason FROM refunds WHERE order_id = ?", orderId),
      ).toEqual([
        {
          payment_id: `pay-${orderId}`,
          amount_cents: changes.amountCents,
          status: "submitted",
          reason: "amount_mismatch",
        },
      ]);
    }),
  );

  it("of nothing, for another order's sum, leaves no refund that D1 would refuse", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, { amountCents: 0 }));
      expect(await outcomeOf(world, desk, orderId)).toEqual(["PENDING", 0, 0]);
      expect(await world.findRow("SELECT status FROM payments WHERE order_id = ?", orderId)).toEqual({ status: "SUCCEEDED" });
    }));

  it("whose record cannot be stored whole leaves nothing behind, and is taken when it comes again", () =>
    inDeskWorld(async (world) => {
      const desk = world.openDesk();
      const ticketTypeId = await world.addType(1);
      const { requestId: orderId } = world.request("key");
      await desk.place(world.place("key", [{ ticketTypeId, quantity: 1 }]));
      const told = world.rows("SELECT count(*) AS n FROM outbox");
      // Its event and the order's new state are written before its message is, and a bigint has no JSON.
      const broken = world.news(orderId, { eventId: "event", occurredAtMs: 1n as never });
      await expect(desk.settle({ ...broken, type: "payment.failed" })).rejects.toThrow();
      await expect(desk.settle(broken)).rejects.toThrow();
      expect(await desk.findOrder(world.tenantId, orderId)).toMatchObject({ status: "PENDING" });
      expect(world.rows("SELECT count(*) AS n FROM payment_events")).toEqual([{ n: 0 }]);
      expect(world.rows("SELECT count(*) AS n FROM outbox")).toEqual(told);
      expect(await desk.settle(world.news(orderId, { eventId: "event" }))).toBe("recorded");
      expect(await desk.findOrder(world.tenantId, orderId)).toMatchObject({ status: "AWAITING_MINT" });
    }));

  it("that comes a second time under another id goes back whole, and the tickets stay", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await Promise.all([desk.settle(world.news(orderId)), desk.settle(world.news(orderId, { paymentId: "second" }))]);
      expect(await outcomeOf(world, desk, orderId)).toEqual(["AWAITING_MINT", 1, 1_000]);
      expect([...world.refunds.values()].map((refund) => refund.paymentId)).toEqual(["second"]);
    }));

  it("is not undone by a `failed` or `canceled` that arrives late, and makes good one that came early", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      for (const order of [
        ["payment.failed", "payment.succeeded", "payment.canceled"],
        ["payment.succeeded", "payment.failed"],
      ] as const satisfies readonly (readonly PaymentNews["type"][])[]) {
        const orderId = await placeOrder(world, desk, [1], order.join());
        for (const type of order) await desk.settle(world.news(orderId, { type }));
        expect(await outcomeOf(world, desk, orderId)).toEqual(["AWAITING_MINT", 1, 0]);
        expect((await desk.findOrder(world.tenantId, orderId))?.payment?.status).toBe("SUCCEEDED");
      }
    }));

  it("for a cancelled order goes back once", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.cancel({ request: world.request("c", "", "cancel"), orderId });
      await desk.settle(world.news(orderId));
      await desk.settle(world.news(orderId));
      expect(await outcomeOf(world, desk, orderId)).toEqual(["CANCELLED", 0, 1_000]);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 0 });
    }));

  it("of no order here is told to be of no order, and leaves nothing", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      expect(await desk.settle(world.news(crypto.randomUUID()))).toBe("unknown_order");
      expect(world.rows("SELECT * FROM payment_events")).toEqual([]);
    }));
});

describe("a payment after the hold has run out", () => {
  it("takes the stock again if there is any", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      vi.setSystemTime(Date.now() + HOLD_MS);
      await world.settleDown(desk);
      expect((await desk.findOrder(world.tenantId, orderId))?.status).toBe("EXPIRED");
      await desk.settle(world.news(orderId));
      expect(await outcomeOf(world, desk, orderId)).toEqual(["AWAITING_MINT", 1, 0]);
      expect(world.stock(ticketTypeId).soldCount).toBe(1);
    }));

  it("goes back whole when one line of several is gone, and what was taken for the others is on sale again", () =>
    inDeskWorld(async (world) => {
      const [plenty, scarce] = [await world.addType(5), await world.addType(2)];
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [2, 2]);
      vi.setSystemTime(Date.now() + HOLD_MS);
      world.sellElsewhere(scarce, 1);
      await desk.settle(world.news(orderId, { amountCents: 4_000 }));
      expect(await outcomeOf(world, desk, orderId)).toEqual(["EXPIRED", 0, 4_000]);
      expect(world.stock(plenty)).toEqual({ heldCount: 0, soldCount: 0 });
      expect(world.stock(scarce).soldCount).toBe(1);
    }));

  it("never issues tickets without stock when the buyer pays again after that", () =>
    inDeskWorld(async (world) => {
      const [plenty, scarce] = [await world.addType(2), await world.addType(2)];
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [2, 2]);
      vi.setSystemTime(Date.now() + HOLD_MS);
      const other = { tenantId: world.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID() };
      world.tell(scarce, { kind: "reserve", command: { ...other, quantity: 2 } });
      await desk.settle(world.news(orderId, { amountCents: 4_000 }));
      world.sellElsewhere(plenty, 2); // what went back on sale
      world.tell(scarce, { kind: "release", command: { ...other, actor: "buyer", cause: "released_by_buyer" } });
      await desk.settle(world.news(orderId, { amountCents: 4_000, paymentId: "again" }));
      expect(await outcomeOf(world, desk, orderId)).toEqual(["EXPIRED", 0, 8_000]);
      expect(world.stock(plenty)).toEqual({ heldCount: 0, soldCount: 2 });
      expect(world.stock(scarce)).toEqual({ heldCount: 0, soldCount: 0 });
    }));

  it("sells no line to nobody when an alarm takes the same step at the same time and the stock changes in between", () =>
    inDeskWorld(async (world) => {
      const [first, scarce] = [await world.addType(1), await world.addType(1)];
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1, 1]);
      vi.setSystemTime(Date.now() + HOLD_MS);
      const other = { tenantId: world.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID() };
      world.tell(scarce, { kind: "reserve", command: { ...other, quantity: 1 } });
      world.fault = (call) => {
        if (call === "confirm" && world.calls.filter((made) => made === "confirm").length === 3) {
          world.tell(scarce, { kind: "release", command: { ...other, actor: "buyer", cause: "released_by_buyer" } });
        }
        return "ok";
      };
      const settled = desk.settle(world.news(orderId, { amountCents: 2_000 }));
      vi.setSystemTime(Date.now() + 2_000);
      await Promise.all([settled, desk.alarm(), desk.alarm()]);
      const [status, tickets, refunded] = await outcomeOf(world, desk, orderId);
      const sold = world.stock(first).soldCount + world.stock(scarce).soldCount;
      expect([status, tickets, refunded, sold]).toEqual(["EXPIRED", 0, 2_000, 0]);
    }));
});

describe("money on its way back", () => {
  it("is asked for under one key until a provider that is down answers, and recorded once", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.cancel({ request: world.request("c", "", "cancel"), orderId });
      let down = true;
      world.fault = (call) => (call === "refund" && down ? "fails" : "ok");
      await desk.settle(world.news(orderId));
      const count = (wanted: string): number => world.calls.filter((call) => call === wanted).length;
      for (let minute = 0; minute < 12; minute += 1) {
        vi.setSystemTime(Date.now() + 61_000);
        await desk.alarm();
      }
      expect(count("refund")).toBeGreaterThanOrEqual(10);
      expect(world.alerts).toEqual(["order_step_stuck"]);
      expect(count("d1")).toBe(1); // an attempt is no news
      down = false;
      expect(await outcomeOf(world, world.openDesk(), orderId)).toEqual(["CANCELLED", 0, 1_000]);
      expect(world.refunds.size).toBe(1);
    }));

  it("is not asked for again when the provider took it and its answer was lost", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.cancel({ request: world.request("c", "", "cancel"), orderId });
      await desk.settle(world.news(orderId));
      world.fault = (call) => (call === "refund" ? "dies_after" : "ok");
      vi.setSystemTime(Date.now() + 1_000);
      await world.untilDeath(() => desk.alarm());
      world.fault = () => "ok";
      expect(await outcomeOf(world, world.openDesk(), orderId)).toEqual(["CANCELLED", 0, 1_000]);
      expect(world.refunds.size).toBe(1);
    }));

  it("keeps its good end when news without an id says otherwise, and calls a person whenever it is said to have failed", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const ends = [];
      for (const events of [["refund.succeeded", "refund.failed"], ["refund.failed"]] as const) {
        const orderId = await placeOrder(world, desk, [1], events.join());
        await desk.settle(world.news(orderId, { amountCents: 5 }));
        await world.settleDown(desk);
        for (const type of events) await desk.settle(world.news(orderId, { type, amountCents: 5 }));
        await world.settleDown(desk);
        ends.push((await world.findRow("SELECT status FROM refunds WHERE order_id = ?", orderId))?.["status"]);
      }
      expect(ends).toEqual(["succeeded", "failed"]);
      expect(world.alerts.filter((alert) => alert === "refund_failed")).toHaveLength(2);
    }));
});
