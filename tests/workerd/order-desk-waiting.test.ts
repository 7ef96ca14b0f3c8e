import { describe, expect, it, vi } from "vitest";
import { inDeskWorld } from "../support/desk-world.ts";
import { placeOrder, standingOf } from "../support/paid-order.ts";

const GONE = { status: "REFUNDED", living: 0, blocked: 0 } as const;

describe("news of a refund before its payment's", () => {
  it("waits for it, and is told again with what became of it", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      const early = world.news(orderId, { type: "refund.succeeded", rawType: "charge.refunded", refundId: "theirs" });
      await desk.settle(early);
      await world.settleDown(desk);
      const read = async (): Promise<unknown[]> => [
        world.rows("SELECT raw_type, outcome, attempts FROM payment_events WHERE event_id = ?", early.eventId)[0],
        await world.findRow("SELECT raw_type, outcome, attempts FROM payment_events WHERE event_id = ?", early.eventId),
      ];
      const recorded = { raw_type: "charge.refunded", outcome: "recorded", attempts: 1 };
      expect(await read()).toEqual([recorded, recorded]);
      expect((await desk.findOrder(world.tenantId, orderId))?.status).toBe("PENDING");
      const reopened = world.openDesk();
      await reopened.settle(world.news(orderId));
      expect(await standingOf(world, reopened, orderId)).toMatchObject({ ...GONE, payment: "REFUNDED", sold: [0] });
      const applied = { ...recorded, outcome: "applied", attempts: 2 };
      expect(await read()).toEqual([applied, applied]);
    }));

  it("calls a person once when it has waited for a day, and goes on waiting", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, { type: "refund.succeeded", refundId: "theirs" }));
      const aDay = 24 * 3_600_000;
      vi.setSystemTime(Date.now() + aDay - 600_000);
      await world.settleDown(desk);
      expect(world.alerts).toEqual([]);
      const reopened = world.openDesk();
      vi.setSystemTime(Date.now() + 600_000);
      await world.settleDown(reopened);
      expect(world.alerts).toEqual(["payment_event_waiting"]);
      vi.setSystemTime(Date.now() + 3 * aDay);
      await world.settleDown(reopened);
      expect(world.alerts).toHaveLength(1);
      await reopened.settle(world.news(orderId));
      expect(await standingOf(world, reopened, orderId)).toMatchObject({ ...GONE, payment: "REFUNDED" });
    }));

  it("is refused when more wait than an order keeps, so that no one can fill it up", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      for (let at = 0; at < 21; at += 1) {
        await desk.settle(world.news(orderId, { type: "refund.succeeded", paymentId: `never-${at}` }));
      }
      expect(world.alerts).toEqual(["payment_event_rejected"]);
      const rows = world.rows("SELECT outcome, COUNT(*) AS n FROM payment_events GROUP BY outcome ORDER BY outcome");
      expect(rows).toEqual([
        { outcome: "recorded", n: 20 },
        { outcome: "rejected", n: 1 },
      ]);
    }));
});
