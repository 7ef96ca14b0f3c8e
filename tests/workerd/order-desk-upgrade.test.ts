import { describe, expect, it } from "vitest";
import { inDeskWorld, type DeskWorld } from "../support/desk-world.ts";
import { payOrder, placeOrder, refundOf, standingOf } from "../support/paid-order.ts";

/** Makes what is stored look as it was before tickets could be paid back. */
function age(world: DeskWorld): void {
  world.rows(`UPDATE orders SET body = json_remove(body, '$.view.refundedCents')`);
  world.rows(`UPDATE answers SET answer = json_remove(answer, '$.value.refundedCents')`);
  world.rows(
    `UPDATE orders SET body = json_remove(body, '$.refunds[0].ticketIds', '$.refunds[0].note') WHERE body ->> '$.refunds[0]' IS NOT NULL`,
  );
  world.rows(`UPDATE outbox SET body = json_remove(body, '$.rawType', '$.attempts')`);
}

describe("what a desk stored before tickets could be paid back", () => {
  it("is told to D1, pays its money back and its tickets too", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const { orderId, paid } = await payOrder(world, world.openDesk(), [2]);
      await world.openDesk().settle({ ...paid, eventId: "twice", paymentId: "twice" });
      age(world);
      const desk = world.openDesk();
      expect(await desk.findOrder(world.tenantId, orderId)).toMatchObject({ status: "AWAITING_MINT", refundedCents: 0 });
      expect(await desk.refund(refundOf(world, orderId, "r"))).toMatchObject({ ok: true, value: { status: "REFUNDED" } });
      const standing = { living: 0, deadAtGate: 2, refundedCents: 2_000, askedCents: 4_000, sold: [0] };
      expect(await standingOf(world, desk, orderId)).toMatchObject(standing);
      const rows = await world.listRows("SELECT reason, ticket_ids <> '[]' AS has FROM refunds WHERE order_id = ?", orderId);
      expect(rows).toHaveLength(2);
      expect(rows).toContainEqual({ reason: "paid_twice", has: 0 });
    }));

  it("pays tickets back also when money taken elsewhere was to go back, which no provider can be asked for", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const { orderId } = await payOrder(world, world.openDesk(), [1]);
      await world.openDesk().settle(world.news(orderId, { provider: "internal", paymentId: "cash" }));
      world.rows(`UPDATE orders SET body = json_set(body, '$.refunds[0].status', 'created')`);
      age(world);
      const desk = world.openDesk();
      await desk.refund(refundOf(world, orderId, "r"));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ status: "REFUNDED", askedCents: 1_000 });
      const rows = await world.listRows("SELECT status FROM refunds WHERE order_id = ?", orderId);
      expect(rows).toEqual([{ status: "submitted" }, { status: "submitted" }]);
    }));

  it("repeats its answers in today's shape", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const orderId = await placeOrder(world, world.openDesk(), [1]);
      const command = { request: world.request("c", "", "cancel"), orderId };
      await world.openDesk().cancel(command);
      age(world);
      const again = await world.openDesk().cancel(command);
      expect(again).toMatchObject({ ok: true, replayed: true, value: { status: "CANCELLED", refundedCents: 0 } });
    }));
});
