import { describe, expect, it, vi } from "vitest";
import type { AppliedDiscount } from "#domain/order-messages";
import { breakEachCall } from "../support/break-each-call.ts";
import { HOLD_MS, inDeskWorld, type DeskWorld } from "../support/desk-world.ts";
import { insist } from "../support/insist.ts";
import { placeOrder } from "../support/paid-order.ts";

type Story = "paid" | "cancelled" | "late" | "sold out" | "code used up";

/** A purchase of two types with a capped code from its placing to its end, with the retries that its callers make. */
async function live(world: DeskWorld, story: Story, code: AppliedDiscount): Promise<string> {
  const lines = world.ticketTypeIds.map((ticketTypeId) => ({ ticketTypeId, quantity: 2 }));
  const placed = await insist(world, (desk) => desk.place({ ...world.place("key", lines), discounts: [code] }));
  if (!placed.ok) throw new Error(placed.failure.code);
  const orderId = placed.value.id;
  await insist(world, (desk) => desk.attachPayment(world.tenantId, orderId, world.payment(orderId)));
  if (story === "cancelled") await insist(world, (desk) => desk.cancel({ request: world.request("c", "", "cancel"), orderId }));
  if (!["paid", "cancelled"].includes(story)) vi.setSystemTime(Date.now() + HOLD_MS);
  if (story === "sold out") world.sellElsewhere(world.ticketTypeIds[1] ?? "", 1);
  if (story === "code used up") world.sellElsewhere(code.uses[0]?.stockName ?? "", 1);
  const news = world.news(orderId, { amountCents: 4_000, eventId: `event-${orderId}` });
  await insist(world, (desk) => desk.settle(news));
  await insist(world, (desk) => world.settleDown(desk));
  return orderId;
}

const ENDS = {
  paid: { status: "AWAITING_MINT", ticketCount: 4, refundedCents: 0, sold: [2, 2, 1] },
  cancelled: { status: "CANCELLED", ticketCount: 0, refundedCents: 4_000, sold: [0, 0, 0] },
  late: { status: "AWAITING_MINT", ticketCount: 4, refundedCents: 0, sold: [2, 2, 1] },
  "sold out": { status: "EXPIRED", ticketCount: 0, refundedCents: 4_000, sold: [0, 1, 0] },
  "code used up": { status: "EXPIRED", ticketCount: 0, refundedCents: 4_000, sold: [0, 0, 1] },
} as const satisfies Record<Story, unknown>;

/** How the world stands in the end: at the desk, at the inventories, at the provider and in D1. */
async function readEnd(world: DeskWorld, orderId: string, code: AppliedDiscount): Promise<Record<string, unknown>> {
  const desk = world.openDesk();
  const order = await desk.findOrder(world.tenantId, orderId);
  const tickets = await desk.listTicketsOfOrder(world.tenantId, orderId);
  const rows = await world.listRows(
    "SELECT t.id FROM tickets t JOIN mint_jobs m ON m.ticket_id = t.id WHERE t.order_id = ? ORDER BY t.id",
    orderId,
  );
  const row = await world.findRow("SELECT status, order_number FROM orders WHERE id = ?", orderId);
  expect(rows.map((ticket) => ticket["id"])).toEqual(tickets.map((ticket) => ticket.id).toSorted());
  expect(row).toEqual({ status: order?.status, order_number: order?.orderNumber });
  expect(await world.listRows("SELECT outcome FROM payment_events WHERE order_id = ?", orderId)).toHaveLength(1);
  expect(await world.listRows("SELECT discount_id FROM order_discounts WHERE order_id = ?", orderId)).toEqual([
    { discount_id: code.discountId },
  ]);
  expect(world.refunds.size).toBeLessThanOrEqual(1);
  return {
    status: order?.status,
    ticketCount: tickets.length,
    refundedCents: [...world.refunds.values()].reduce((sum, refund) => sum + refund.amountCents, 0),
    sold: [...world.inventories.keys()].map((name) => world.stock(name).soldCount),
  };
}

describe.each(["paid", "cancelled", "late", "sold out", "code used up"] as const)("an order that ends %s", (story) => {
  it.each(["dies_before", "dies_after"] as const)(
    "ends so, exactly once, when its desk %s any one of its calls",
    { timeout: 60_000 },
    async (fault) => {
      const calls = await breakEachCall(fault, async (world, what) => {
        for (const capacity of [2, 2]) await world.addType(capacity);
        const code = await world.addDiscount(1);
        const orderId = await live(world, story, code);
        expect(await readEnd(world, orderId, code), what()).toEqual(ENDS[story]);
      });
      expect(calls).toBeGreaterThanOrEqual(6);
    },
  );
});

describe("a payment event", () => {
  it("is acknowledged although an inventory hangs, and buys when the desk is opened again", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      world.fault = (call) => (call === "confirm" ? "hangs" : "ok");
      expect(await desk.settle(world.news(orderId, { amountCents: 1_000 }))).toBe("recorded");
      expect(await desk.findOrder(world.tenantId, orderId)).toMatchObject({
        status: "PENDING",
        payment: { status: "SUCCEEDED" },
      });
      world.fault = () => "ok";
      const reopened = world.openDesk();
      vi.setSystemTime(Date.now() + 61_000);
      await world.settleDown(reopened);
      expect(await reopened.findOrder(world.tenantId, orderId)).toMatchObject({ status: "AWAITING_MINT" });
      expect(world.refunds.size).toBe(0);
    }));
});
