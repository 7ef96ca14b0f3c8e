import { describe, expect, it, vi } from "vitest";
import { hashParts } from "#domain/ids";
import { orderNumberAt, type OrderNumberBlock } from "#domain/order-number";
import { HOLD_MS, inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";

const DAY_MS = 86_400_000;

async function placeMany(world: DeskWorld, desk: TestDesk, count: number, prefix: string): Promise<string[]> {
  const [ticketTypeId = ""] = world.ticketTypeIds;
  const commands = Array.from({ length: count }, (_, index) =>
    world.place(`${prefix}-${index}`, [{ ticketTypeId, quantity: 1 }]),
  );
  const answers = await Promise.all(commands.map((command) => desk.place(command)));
  return answers.map((answer) => {
    if (!answer.ok) throw new Error(answer.failure.code);
    return answer.value.orderNumber;
  });
}

describe("order numbers", () => {
  it("are unique over 1,200 orders at once, a restart and 100 more", { timeout: 60_000 }, () =>
    inDeskWorld(async (world) => {
      await world.addType(5_000);
      const numbers = await placeMany(world, world.openDesk(), 1_200, "one");
      numbers.push(...(await placeMany(world, world.openDesk(), 100, "two")));
      expect(numbers.every((number) => /^ORD-\d{8}$/.test(number))).toBe(true);
      expect(new Set(numbers).size).toBe(1_300);
      expect(world.calls.filter((call) => call === "lease").length).toBeLessThanOrEqual(4); // not one for each who waits
    }),
  );

  it("are unique when many wait for a block and use it up before the last of them goes on", () =>
    inDeskWorld(async (world) => {
      await world.addType(5_000);
      let leased = 0;
      // Blocks of 7 in place of 1,000: each is used up while others still wait for it.
      world.lease = async (tenantId): Promise<OrderNumberBlock> => {
        await scheduler.wait(1);
        const nextIndex = 7 * leased;
        leased += 1;
        return { shuffleKey: hashParts([tenantId]), nextIndex, endIndex: nextIndex + 7 };
      };
      const numbers = await placeMany(world, world.openDesk(), 100, "one");
      expect(new Set(numbers).size).toBe(100);
      const possible = new Set(
        Array.from({ length: 7 * leased }, (_, index) => orderNumberAt(hashParts([world.tenantId]), index)),
      );
      expect(numbers.every((number) => possible.has(number))).toBe(true);
    }));
});

describe("while D1 is down", () => {
  it("sales, payments and own reads go on, and D1 catches up with nothing lost or doubled", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1_000);
      const desk = world.openDesk();
      await placeMany(world, desk, 1, "before");
      world.fault = (call) => (call === "d1" || call === "lease" ? "fails" : "ok");
      await placeMany(world, desk, 60, "during");
      const orders = await desk.listRecentOrders(world.tenantId, world.userId);
      await Promise.all(orders.map((order) => desk.settle(world.news(order.id))));
      for (let minute = 0; minute < 5; minute += 1) {
        vi.setSystemTime(Date.now() + 61_000);
        await desk.alarm();
      }
      expect(await desk.listRecentTickets(world.tenantId, world.userId)).toHaveLength(61);
      expect(await world.listRows("SELECT id FROM orders WHERE tenant_id = ?", world.tenantId)).toEqual([]);
      world.fault = () => "ok";
      await world.settleDown(world.openDesk());
      const count =
        "SELECT COUNT(*) AS orders, COUNT(DISTINCT order_number) AS numbers, MIN(status) AS low, MAX(status) AS high FROM orders WHERE tenant_id = ?";
      expect(await world.findRow(count, world.tenantId)).toEqual({
        orders: 61,
        numbers: 61,
        low: "AWAITING_MINT",
        high: "AWAITING_MINT",
      });
      expect(await world.listRows("SELECT id FROM tickets WHERE tenant_id = ?", world.tenantId)).toHaveLength(61);
      expect(new Set(world.queued.map((message) => message.ticketId)).size).toBe(61);
      expect(world.stock(ticketTypeId).soldCount).toBe(61);
    }));

  it("a sale that has no number left fails, keeps its stock, and goes on with the same key afterwards", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      world.fault = (call) => (call === "lease" ? "fails" : "ok");
      const command = world.place("key", [{ ticketTypeId, quantity: 1 }]);
      await expect(world.openDesk().place(command)).rejects.toThrow("lease failed");
      world.fault = () => "ok";
      expect(await world.openDesk().place(command)).toMatchObject({ ok: true, replayed: false });
      expect(world.stock(ticketTypeId).heldCount).toBe(1);
    }));
});

describe("D1 behind the desk", () => {
  it("is behind by the age of the oldest change that it has not heard", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      world.fault = (call) => (call === "d1" ? "fails" : "ok");
      const placedAtMs = Date.now();
      await desk.place(world.place("waiting", [{ ticketTypeId, quantity: 1 }]));
      vi.setSystemTime(Date.now() + 60_000);
      await desk.alarm();
      expect(await desk.measureBacklog()).toEqual({ waitingCount: 1, refusedCount: 0, oldestAtMs: placedAtMs });
      world.fault = () => "ok";
      await desk.alarm();
      expect(await desk.measureBacklog()).toEqual({ waitingCount: 0, refusedCount: 0, oldestAtMs: null });
    }));

  it("hears of new orders although it has refused an old one for longer than orders are kept", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const lines = [{ ticketTypeId, quantity: 1 }];
      await desk.place({ ...world.place("refused", lines), eventId: crypto.randomUUID() });
      const passHours = async (hours: number): Promise<void> => {
        vi.setSystemTime(Date.now() + hours * 3_600_000);
        await desk.alarm();
      };
      for (const hours of [1, 31 * 24, 1, 1]) await passHours(hours);
      await desk.place(world.place("sound", lines));
      await passHours(1);
      await passHours(1);
      expect(await world.listRows("SELECT id FROM orders WHERE tenant_id = ?", world.tenantId)).toHaveLength(1);
    }));

  it(
    "gets the tickets of large orders a thousand at a time, so that no transaction outlasts what D1 allows",
    { timeout: 60_000 },
    () =>
      inDeskWorld(async (world) => {
        const ticketTypeId = await world.addType(10_000);
        const desk = world.openDesk();
        const commands = Array.from({ length: 60 }, (_, index) =>
          world.place(`large-${index}`, [{ ticketTypeId, quantity: 100 }], 0),
        );
        await Promise.all(commands.map((command) => desk.place(command)));
        await world.settleDown(desk);
        expect(await world.findRow("SELECT COUNT(*) AS count FROM tickets WHERE tenant_id = ?", world.tenantId)).toEqual({
          count: 6_000,
        });
        expect(world.calls.filter((call) => call === "d1").length).toBeGreaterThanOrEqual(6);
        expect(new Set(world.queued.map(({ ticketId }) => ticketId)).size).toBe(6_000);
      }),
  );

  it("hears of orders while the mint queue is down, and each ticket keeps its mint job", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      world.fault = (call) => (call === "mint" ? "fails" : "ok");
      await desk.place(world.place("free", [{ ticketTypeId, quantity: 2 }], 0));
      await world.settleDown(desk);
      expect(world.alerts).toEqual(["mint_queue_down"]);
      expect(await world.listRows("SELECT status FROM mint_jobs WHERE tenant_id = ?", world.tenantId)).toEqual([
        { status: "QUEUED" },
        { status: "QUEUED" },
      ]);
    }));

  it("hears of a sale although a provider keeps the desk's refunds waiting", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      await placeMany(world, desk, 1, "mismatch");
      const [order] = await desk.listRecentOrders(world.tenantId, world.userId);
      await desk.settle(world.news(order?.id ?? "", { amountCents: 1 }));
      world.fault = (call) => (call === "refund" ? "hangs" : "ok");
      vi.setSystemTime(Date.now() + 1_000);
      await desk.alarm();
      expect(await world.listRows("SELECT id FROM orders WHERE tenant_id = ?", world.tenantId)).toHaveLength(1);
    }));

  it("is told of the orders behind one that it refuses", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const good = world.place("good", [{ ticketTypeId, quantity: 1 }], 0);
      const bad = { ...world.place("bad", [{ ticketTypeId, quantity: 1 }], 0), eventId: crypto.randomUUID() };
      await Promise.all([desk.place(bad), desk.place(good)]);
      vi.setSystemTime(Date.now() + 1_000);
      await desk.alarm();
      expect(await world.listRows("SELECT id FROM orders WHERE tenant_id = ?", world.tenantId)).toEqual([
        { id: good.request.requestId },
      ]);
      expect(world.alerts).toContain("outbox_row_refused");
    }));
});

describe("the alarm", () => {
  it("marks what has expired, then has nothing to do until it is time to forget", () =>
    inDeskWorld(async (world) => {
      const alarms: number[] = [];
      world.state.storage.setAlarm = async (atMs) => {
        alarms.push(Number(atMs));
      };
      await world.addType(10);
      const desk = world.openDesk();
      await placeMany(world, desk, 3, "left");
      const placedAtMs = Date.now();
      expect(alarms.at(-1)).toBeLessThan(placedAtMs + 1_000); // to tell D1
      await desk.alarm();
      expect(alarms.at(-1)).toBe(placedAtMs + HOLD_MS);
      vi.setSystemTime(placedAtMs + HOLD_MS);
      await desk.alarm();
      await desk.alarm();
      expect(await world.listRows("SELECT DISTINCT status FROM orders WHERE tenant_id = ?", world.tenantId)).toEqual([
        { status: "EXPIRED" },
      ]);
      expect(alarms.at(-1)).toBe(placedAtMs + 400 * DAY_MS);
    }));

  it("does not run in circles over an order that is due and has nothing to do", () =>
    inDeskWorld(async (world) => {
      const alarms: number[] = [];
      world.state.storage.setAlarm = async (atMs) => {
        alarms.push(Number(atMs));
      };
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      await desk.place(world.place("free", [{ ticketTypeId, quantity: 1 }], 0));
      world.rows("UPDATE orders SET due_at_ms = 1");
      const reopened = world.openDesk();
      await reopened.alarm();
      expect(world.countDue()).toBe(0);
      expect(alarms.at(-1)).toBeGreaterThan(Date.now() + DAY_MS);
    }));

  it("of a desk that was never used is never armed", () =>
    inDeskWorld(async (world) => {
      const alarms: unknown[] = [];
      world.state.storage.setAlarm = async (atMs) => {
        alarms.push(atMs);
      };
      const desk = world.openDesk();
      expect(await desk.findOrder(world.tenantId, crypto.randomUUID())).toBeUndefined();
      await desk.alarm();
      expect(alarms).toEqual([]);
    }));

  it("forgets requests after a day and orders after 400 days, but no order that still has something to do, however many those are", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1_000);
      const desk = world.openDesk();
      await desk.hold({
        request: world.request("h", "", "hold"),
        eventId: world.eventId,
        lines: [{ ticketTypeId, quantity: 1 }],
      });
      await desk.place(world.place("too many", [{ ticketTypeId, quantity: 101 }]));
      await placeMany(world, desk, 450, "order");
      const [stuck] = await desk.listRecentOrders(world.tenantId, world.userId);
      const orderId = stuck?.id ?? "";
      await desk.cancel({ request: world.request("c", "", "cancel"), orderId });
      await desk.settle(world.news(orderId));
      world.fault = (call) => (call === "refund" ? "fails" : "ok");
      const counts = (): unknown[] =>
        ["holds", "answers", "orders"].map((table) => world.rows(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.["n"]);
      const pass = async (ms: number): Promise<void> => {
        vi.setSystemTime(Date.now() + ms);
        for (let run = 0; run < 8; run += 1) {
          vi.setSystemTime(Date.now() + 2_000);
          await desk.alarm();
        }
      };
      await pass(DAY_MS - 60_000);
      expect(counts()).toEqual([1, 2, 450]);
      await pass(DAY_MS);
      expect(counts()).toEqual([0, 0, 450]);
      await pass(397 * DAY_MS);
      expect(counts()).toEqual([0, 0, 450]);
      world.rows("UPDATE orders SET due_at_ms = ? WHERE seq <= 249", Date.now() + 500 * DAY_MS); // more than are forgotten at once
      await pass(2 * DAY_MS);
      expect(counts()).toEqual([0, 0, 250]);
      world.fault = () => "ok";
      await pass(60_000);
      expect(world.refunds.size).toBe(1);
    }));

  it("never forgets an order while news of it is being stored, or nothing of the desk would be told any more", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      await placeMany(world, desk, 1, "old");
      const [order] = await desk.listRecentOrders(world.tenantId, world.userId);
      await desk.settle(world.news(order?.id ?? ""));
      await world.settleDown(desk);
      vi.setSystemTime(Date.now() + 401 * DAY_MS);
      const news = world.news(order?.id ?? "", { type: "refund.succeeded", refundId: "late", amountCents: 500 });
      await Promise.all([desk.settle(news), desk.alarm()]);
      await world.settleDown(desk);
    }));
});
