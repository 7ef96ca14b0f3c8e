import { describe, expect, it, vi } from "vitest";
import { inDeskWorld } from "../support/desk-world.ts";
import { payOrder, placeOrder, refundOf, standingOf } from "../support/paid-order.ts";

describe("a disputed payment", () => {
  it("lets its tickets in no more while the dispute is open, and again once it is won", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [2]);
      await desk.settle(world.news(orderId, { type: "dispute.opened", disputeId: "d" }));
      const open = { status: "AWAITING_MINT", living: 2, deadAtGate: 0, askedCents: 0, sold: [2] };
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...open, payment: "DISPUTED", blocked: 2 });
      expect(await desk.refund(refundOf(world, orderId, "r"))).toMatchObject({ failure: { code: "order_not_refundable" } });
      await desk.settle(world.news(orderId, { type: "dispute.won", disputeId: "d" }));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...open, payment: "SUCCEEDED", blocked: 0 });
      expect(world.alerts).toEqual(["dispute"]);
      expect(await desk.refund(refundOf(world, orderId, "later"))).toMatchObject({ ok: true });
    }));

  it("that is lost kills the tickets, sells their seats again and asks the provider for nothing", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [2]);
      for (const type of ["dispute.opened", "dispute.lost"] as const) {
        await desk.settle(world.news(orderId, { type, amountCents: 2_000 }));
      }
      const lost = { status: "REFUNDED", payment: "DISPUTED", refundedCents: 2_000, living: 0, deadAtGate: 2, askedCents: 0 };
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...lost, sold: [0] });
      await desk.settle(world.news(orderId, { type: "dispute.won" }));
      expect(await standingOf(world, desk, orderId)).toMatchObject(lost);
      expect(world.alerts).toEqual(["dispute", "dispute_lost", "dispute_won_after_loss"]);
      const refunds = await world.listRows("SELECT status, reason, amount_cents FROM refunds WHERE order_id = ?", orderId);
      expect(refunds).toEqual([{ status: "succeeded", reason: "dispute_lost", amount_cents: 2_000 }]);
    }));

  it("that is lost takes what is left after a refund, and a refund not asked for yet is paid by the bank", () =>
    inDeskWorld(async (world) => {
      await world.addType(3);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [3]);
      world.fault = (call) => (call === "refund" ? "fails" : "ok");
      await desk.refund(refundOf(world, orderId, "r", { ticketIds: ticketIds.slice(0, 1) }));
      await desk.settle(world.news(orderId, { type: "dispute.opened" }));
      world.fault = () => "ok";
      vi.setSystemTime(Date.now() + 3_600_000);
      await desk.alarm();
      expect(world.refunds.size).toBe(0); // no provider gives back what is disputed
      await desk.settle(world.news(orderId, { type: "dispute.lost", amountCents: 3_000 }));
      const standing = { status: "REFUNDED", refundedCents: 3_000, living: 0, askedCents: 0, sold: [0] };
      expect(await standingOf(world, desk, orderId)).toMatchObject(standing);
    }));

  it("that is lost over a part keeps all its tickets out until the organiser names those it was for; the others are let in then", () =>
    inDeskWorld(async (world) => {
      await world.addType(3);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [3]);
      await desk.settle(world.news(orderId, { type: "dispute.opened" }));
      await desk.settle(world.news(orderId, { type: "dispute.lost", amountCents: 1_500 }));
      const lost = { status: "AWAITING_MINT", payment: "DISPUTED", refundedCents: 1_500, living: 3, deadAtGate: 0, blocked: 3 };
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...lost, sold: [3], askedCents: 0 });
      expect(world.alerts).toEqual(["dispute", "dispute_lost_in_part"]);
      await desk.refund(refundOf(world, orderId, "one", { ticketIds: ticketIds.slice(0, 1) }));
      expect(await standingOf(world, desk, orderId)).toMatchObject({
        living: 2,
        deadAtGate: 1,
        askedCents: 0,
        refundedCents: 1_500,
      });
      expect([...world.gate.blocked]).toEqual(expect.arrayContaining(ticketIds.slice(1)));
      await desk.refund(refundOf(world, orderId, "two", { ticketIds: ticketIds.slice(1, 2) }));
      const named = { living: 1, deadAtGate: 2, askedCents: 500, refundedCents: 2_000, sold: [1] };
      expect(await standingOf(world, desk, orderId)).toMatchObject(named);
      expect(world.gate.blocked.has(ticketIds[2] ?? "")).toBe(false);
      const rows = await world.listRows("SELECT reason, ticket_ids FROM refunds WHERE order_id = ? ORDER BY reason", orderId);
      expect(rows).toEqual([
        { reason: "dispute_lost", ticket_ids: JSON.stringify(ticketIds.slice(0, 2)) },
        { reason: "requested", ticket_ids: JSON.stringify(ticketIds.slice(1, 2)) },
      ]);
    }));

  it("that is won after some of its tickets died calls a person, and revives only the others", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [2]);
      const [dead = "", living = ""] = ticketIds;
      await desk.refund(refundOf(world, orderId, "r", { ticketIds: [dead] }));
      await desk.settle(world.news(orderId, { type: "dispute.opened" }));
      expect([...world.gate.blocked]).toEqual([living]);
      await desk.settle(world.news(orderId, { type: "dispute.won" }));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 1, deadAtGate: 1, blocked: 0, sold: [1] });
      expect(world.alerts).toEqual(["dispute", "dispute_won_but_recalled"]);
    }));

  it("that bought nothing blocks nobody", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, { paymentId: "second" }));
      for (const type of ["dispute.opened", "dispute.lost"] as const) {
        await desk.settle(world.news(orderId, { type, paymentId: "second" }));
      }
      const standing = { status: "AWAITING_MINT", payment: "SUCCEEDED", living: 1, blocked: 0, askedCents: 0 };
      expect(await standingOf(world, desk, orderId)).toMatchObject(standing);
    }));

  it("is taken up again by the alarm when the gate is away, and news that came meanwhile waits for it", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      world.fault = (call) => (call === "block" ? "fails" : "ok");
      await desk.settle(world.news(orderId, { type: "dispute.opened" }));
      await desk.settle(world.news(orderId, { type: "dispute.won" }));
      expect(world.gate.blocked.size).toBe(0);
      world.fault = () => "ok";
      const reopened = world.openDesk();
      expect(await standingOf(world, reopened, orderId)).toMatchObject({ payment: "SUCCEEDED", living: 1, blocked: 0 });
      expect(world.calls.filter((call) => call === "block")).toHaveLength(4); // failed twice, then blocked and admitted again
    }));

  it("before its payment's own event waits for that", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, { type: "dispute.opened" }));
      await desk.settle(world.news(orderId));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ payment: "DISPUTED", living: 1, blocked: 1 });
    }));
});
