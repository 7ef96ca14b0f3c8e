import { describe, expect, it } from "vitest";
import type { PaymentNews } from "#domain/order-messages";
import { PAID_ELSEWHERE } from "#domain/order-money";
import { inDeskWorld } from "../support/desk-world.ts";
import { placeOrder } from "../support/paid-order.ts";

describe("an event that cannot be about the order it names", () => {
  it.each<[string, Partial<PaymentNews>]>([
    ["says another tenant's order", { tenantId: crypto.randomUUID() }],
    ["has the order's payment from another provider", { provider: "stripe" }],
  ])("is no order's, and leaves it and its record as they are: it %s", (_, foreign) =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      const before = await desk.findOrder(world.tenantId, orderId);
      for (const type of ["payment.succeeded", "payment.failed", "dispute.lost"] as const) {
        expect(await desk.settle(world.news(orderId, { type, ...foreign })), type).toBe("unknown_order");
      }
      expect(await desk.findOrder(world.tenantId, orderId)).toEqual(before);
      await world.settleDown(desk);
      expect(await world.listRows("SELECT * FROM payment_events WHERE order_id = ?", orderId)).toEqual([]);
      expect(world.refunds.size).toBe(0);
    }),
  );

  it("is not one that says the order's own tenant, nor one of an organiser who names the payment like the provider", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const ends = [];
      for (const own of [{ tenantId: world.tenantId }, { provider: PAID_ELSEWHERE }]) {
        const orderId = await placeOrder(world, desk, [1], Object.keys(own).join());
        expect(await desk.settle(world.news(orderId, own))).toBe("recorded");
        ends.push((await desk.findOrder(world.tenantId, orderId))?.status);
      }
      expect(ends).toEqual(["AWAITING_MINT", "AWAITING_MINT"]);
    }));
});
