import { describe, expect, it, vi } from "vitest";
import { inDeskWorld } from "../support/desk-world.ts";
import { payOrder, placeOrder, refundOf, standingOf } from "../support/paid-order.ts";

const WHOLE = { status: "REFUNDED", payment: "SUCCEEDED", living: 0, blocked: 0 } as const;

describe("a refund by the organiser", () => {
  it("has killed its tickets at the gate before it is answered, and then pays them back once and sells their seats again", () =>
    inDeskWorld(async (world) => {
      for (const capacity of [5, 5]) await world.addType(capacity);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [2, 1]);
      const command = refundOf(world, orderId, "r", { ticketIds: ticketIds.slice(1) });
      const answer = await desk.refund(command);
      expect(answer).toMatchObject({ ok: true, value: { status: "AWAITING_MINT", refundedCents: 2_000 }, replayed: false });
      expect([...world.gate.dead].toSorted()).toEqual(ticketIds.slice(1).toSorted());
      expect(world.calls.indexOf("recall")).toBeLessThan(world.calls.indexOf("restock"));
      expect(world.calls).not.toContain("refund");
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 1, askedCents: 2_000, sold: [1, 0] });
      expect(await desk.refund(command)).toEqual({ ...answer, replayed: true });
      expect(world.refunds.size).toBe(1);
    }));

  it("of all that is left makes the order REFUNDED, and its payment once the provider has paid", () =>
    inDeskWorld(async (world) => {
      await world.addType(5);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [3]);
      await desk.refund(refundOf(world, orderId, "one", { ticketIds: ticketIds.slice(0, 1) }));
      const rest = await desk.refund(refundOf(world, orderId, "rest"));
      expect(rest).toMatchObject({ ok: true, value: { status: "REFUNDED", refundedCents: 3_000 } });
      const standing = { ...WHOLE, refundedCents: 3_000, askedCents: 3_000, sold: [0] };
      expect(await standingOf(world, desk, orderId)).toMatchObject(standing);
      for (const [key, { amountCents }] of world.refunds) {
        await desk.settle(world.news(orderId, { type: "refund.succeeded", amountCents, refundId: key }));
      }
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...standing, payment: "REFUNDED" });
      const rows = await world.listRows("SELECT status FROM tickets WHERE order_id = ?", orderId);
      expect(rows.map((row) => row["status"])).toEqual(["CANCELLED", "CANCELLED", "CANCELLED"]);
      expect(await world.findRow("SELECT refunded_cents FROM orders WHERE id = ?", orderId)).toEqual({ refunded_cents: 3_000 });
    }));

  it("keeps the seats and a used code off sale unless asked for, and the code always", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(2);
      const code = await world.addDiscount(1);
      const desk = world.openDesk();
      const placed = await desk.place({ ...world.place("key", [{ ticketTypeId, quantity: 2 }]), discounts: [code] });
      const orderId = placed.ok ? placed.value.id : "";
      await desk.settle(world.news(orderId, { amountCents: 2_000 }));
      const [first, second] = await desk.listTicketsOfOrder(world.tenantId, orderId);
      await desk.refund(refundOf(world, orderId, "keep", { ticketIds: [first?.id ?? ""], restock: false }));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 1, sold: [2, 1] });
      await desk.refund(refundOf(world, orderId, "sell", { ticketIds: [second?.id ?? ""] }));
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 0, status: "REFUNDED", sold: [1, 1] });
    }));

  it("is one of two at once for the same ticket, and the other is refused without a second refund", () =>
    inDeskWorld(async (world) => {
      await world.addType(5);
      const desk = world.openDesk();
      const { orderId, ticketIds } = await payOrder(world, desk, [2]);
      const command = (key: string) => refundOf(world, orderId, key, { ticketIds: ticketIds.slice(0, 1) });
      const answers = await Promise.all([desk.refund(command("a")), desk.refund(command("b")), desk.refund(command("a"))]);
      expect(answers.filter((answer) => answer.ok)).toHaveLength(2);
      expect(answers[1]).toMatchObject({ ok: false });
      expect(await standingOf(world, desk, orderId)).toMatchObject({ refundedCents: 1_000, askedCents: 1_000, sold: [1] });
    }));

  it("refuses orders of others, unpaid orders, others' tickets, tickets paid back, and a key used for something else", () =>
    inDeskWorld(async (world) => {
      await world.addType(9);
      const desk = world.openDesk();
      const codeOf = async (...command: Parameters<typeof refundOf>): Promise<string | undefined> => {
        const answer = await desk.refund(refundOf(...command));
        return answer.ok ? undefined : answer.failure.code;
      };
      const unpaid = await placeOrder(world, desk, [1], "unpaid");
      const { orderId, ticketIds } = await payOrder(world, desk, [2]);
      const [first = "", second = ""] = ticketIds;
      const foreign = { ...refundOf(world, orderId, "foreign"), request: { ...world.request("f"), tenantId: "another" } };
      expect(await desk.refund(foreign)).toMatchObject({ failure: { code: "not_found" } });
      expect(await codeOf(world, crypto.randomUUID(), "nobody's")).toBe("not_found");
      expect(await codeOf(world, unpaid, "unpaid")).toBe("order_not_refundable");
      expect(await codeOf(world, orderId, "others", { ticketIds: [first, crypto.randomUUID()] })).toBe("not_found");
      expect(await codeOf(world, orderId, "first", { ticketIds: [first] })).toBeUndefined();
      expect(await codeOf(world, unpaid, "first", { ticketIds: [first] })).toBe("idempotency_key_reused");
      expect(await codeOf(world, orderId, "both", { ticketIds: [first, second] })).toBe("ticket_not_valid");
      expect(await codeOf(world, orderId, "rest")).toBeUndefined();
      expect(await codeOf(world, orderId, "nothing left")).toBe("order_not_refundable");
      expect(await standingOf(world, desk, orderId)).toMatchObject({ refundedCents: 2_000, askedCents: 2_000 });
    }));

  it("is answered 503 while the gate is away, asks for no money before the tickets are dead, and goes on under the same key", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      world.fault = (call) => (call === "recall" ? "fails" : "ok");
      const command = refundOf(world, orderId, "r");
      const away = { ok: false, failure: { code: "overloaded" } };
      for (let attempt = 0; attempt < 3; attempt += 1) expect(await desk.refund(command)).toMatchObject(away);
      vi.setSystemTime(Date.now() + 61_000);
      await desk.alarm();
      expect(world.calls).not.toContain("refund");
      expect(await desk.refund(refundOf(world, orderId, "another"))).toMatchObject({ failure: { code: "request_in_flight" } });
      world.fault = () => "ok";
      expect(await desk.refund(command)).toMatchObject({ ok: true, value: { status: "REFUNDED" }, replayed: true });
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...WHOLE, askedCents: 1_000, sold: [0] });
      expect(world.refunds.size).toBe(1);
    }));

  it("comes through exactly once when the provider is down for an hour, and stays `created` until then", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      const upAtMs = Date.now() + 3_600_000;
      world.fault = (call) => (call === "refund" && Date.now() < upAtMs ? "fails" : "ok");
      await desk.refund(refundOf(world, orderId, "r"));
      const statusOf = async (): Promise<unknown> =>
        (await world.findRow("SELECT status FROM refunds WHERE order_id = ?", orderId))?.["status"];
      let attempts = 0;
      while (Date.now() < upAtMs) {
        await desk.alarm();
        expect(await statusOf()).toBe("created");
        vi.setSystemTime(Date.now() + 20_000);
        attempts = world.calls.filter((call) => call === "refund").length;
      }
      expect(attempts).toBeGreaterThan(30); // it is not forgotten,
      expect(attempts).toBeLessThan(100); // and the provider is not stormed
      expect(await standingOf(world, world.openDesk(), orderId)).toMatchObject({ ...WHOLE, askedCents: 1_000 });
      expect(await statusOf()).toBe("submitted");
      expect(world.refunds.size).toBe(1);
    }));

  it("that failed at the provider can be asked for again, and kills nothing twice", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      await desk.refund(refundOf(world, orderId, "r"));
      await world.settleDown(desk);
      await desk.settle(world.news(orderId, { type: "refund.failed" }));
      expect(world.alerts).toEqual(["refund_failed"]);
      expect((await desk.findOrder(world.tenantId, orderId))?.refundedCents).toBe(0);
      expect(await desk.refund(refundOf(world, orderId, "again"))).toMatchObject({ ok: true, value: { status: "REFUNDED" } });
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...WHOLE, refundedCents: 1_000, askedCents: 2_000 });
      expect(world.calls.filter((call) => call === "recall" || call === "restock")).toEqual(["recall", "restock"]);
    }));

  it("that was done and fails weeks later calls a person, reads as failed everywhere and can be asked for again", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [1]);
      await desk.refund(refundOf(world, orderId, "r"));
      await world.settleDown(desk);
      const facts = { amountCents: 1_000, refundId: [...world.refunds.keys()][0] ?? "" };
      await desk.settle(world.news(orderId, { ...facts, type: "refund.succeeded" }));
      await world.settleDown(desk);
      vi.setSystemTime(Date.now() + 21 * 86_400_000);
      const late = world.openDesk();
      await late.settle(world.news(orderId, { ...facts, type: "refund.failed" }));
      expect(world.alerts).toEqual(["refund_failed"]);
      const standing = { status: "REFUNDED", payment: "SUCCEEDED", refundedCents: 0, living: 0, deadAtGate: 1, sold: [0] };
      expect(await standingOf(world, late, orderId)).toMatchObject(standing);
      const query = `SELECT refunds.status, payments.status AS payment, refunded_cents FROM refunds
        JOIN payments USING (order_id) JOIN orders ON orders.id = order_id WHERE order_id = ?`;
      expect(await world.findRow(query, orderId)).toEqual({ status: "failed", payment: "SUCCEEDED", refunded_cents: 0 });
      expect(await late.refund(refundOf(world, orderId, "again"))).toMatchObject({ ok: true });
      expect(await standingOf(world, late, orderId)).toMatchObject({ ...standing, refundedCents: 1_000, askedCents: 2_000 });
    }));

  it("under a key that was used for other tickets days ago, and is forgotten, pays and restocks these too", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const { orderId, ticketIds } = await payOrder(world, world.openDesk(), [2]);
      let desk = world.openDesk();
      for (const ticketId of ticketIds) {
        expect(await desk.refund(refundOf(world, orderId, "same", { ticketIds: [ticketId] }))).toMatchObject({ ok: true });
        await world.settleDown(desk);
        vi.setSystemTime(Date.now() + 25 * 3_600_000);
        desk = world.openDesk();
        await desk.alarm();
        expect(world.rows("SELECT 1 FROM answers")).toEqual([]);
      }
      expect(await standingOf(world, desk, orderId)).toMatchObject({ ...WHOLE, askedCents: 2_000, sold: [0] });
    }));

  it("of money taken elsewhere asks nobody and calls a person", () =>
    inDeskWorld(async (world) => {
      await world.addType(1);
      const desk = world.openDesk();
      const orderId = await placeOrder(world, desk, [1]);
      await desk.settle(world.news(orderId, { provider: "internal", paymentId: "cash" }));
      await desk.settle(world.news(orderId, { provider: "internal", paymentId: "cash again" }));
      expect(await desk.refund(refundOf(world, orderId, "r"))).toMatchObject({ ok: true, value: { status: "REFUNDED" } });
      await world.settleDown(desk);
      expect(world.calls).not.toContain("refund");
      expect(world.alerts).toEqual(["paid_twice", "refund_by_hand", "refund_by_hand"]);
      const rows = await world.listRows("SELECT status, reason FROM refunds WHERE order_id = ? ORDER BY reason", orderId);
      expect(rows).toEqual([
        { status: "submitted", reason: "paid_twice" },
        { status: "submitted", reason: "requested" },
      ]);
    }));

  it("of free tickets kills them and gives nothing back", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(1);
      const desk = world.openDesk();
      const placed = await desk.place(world.place("free", [{ ticketTypeId, quantity: 1 }], 0));
      const orderId = placed.ok ? placed.value.id : "";
      expect(await desk.refund(refundOf(world, orderId, "r"))).toMatchObject({ ok: true, value: { status: "REFUNDED" } });
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 0, deadAtGate: 1, askedCents: 0, sold: [0] });
    }));
});

describe("money given back at the provider, past this service", () => {
  it("kills the tickets when it was all of it, and asks for nothing", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [2]);
      await desk.settle(world.news(orderId, { type: "refund.succeeded", amountCents: 2_000, refundId: "theirs" }));
      const standing = { ...WHOLE, payment: "REFUNDED", refundedCents: 2_000, askedCents: 0, sold: [0] };
      expect(await standingOf(world, desk, orderId)).toMatchObject(standing);
    }));

  it("calls a person when it was a part, and leaves less to give back", () =>
    inDeskWorld(async (world) => {
      await world.addType(2);
      const desk = world.openDesk();
      const { orderId } = await payOrder(world, desk, [2]);
      await desk.settle(world.news(orderId, { type: "refund.succeeded", amountCents: 300, refundId: "theirs" }));
      expect(world.alerts).toEqual(["refund_outside"]);
      expect(await desk.refund(refundOf(world, orderId, "all"))).toMatchObject({ failure: { code: "refund_exceeds_payment" } });
      expect(await standingOf(world, desk, orderId)).toMatchObject({ living: 2, refundedCents: 300, sold: [2] });
    }));
});
