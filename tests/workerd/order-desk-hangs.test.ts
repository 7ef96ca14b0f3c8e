import { describe, expect, it, vi } from "vitest";
import type { MadeOnce, OrderView } from "#domain/order-messages";
import type { Call } from "../support/breakable-reach.ts";
import { inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";
import { refundOf } from "../support/paid-order.ts";

const LIMIT_MS = 10_000;

/** Every call of this name is never answered from now on. @returns how many there were since. */
function hang(world: DeskWorld, name: Call): () => number {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
  const before = world.calls.length;
  world.fault = (call) => (call === name ? "hangs" : "ok");
  return () => world.calls.slice(before).filter((call) => call === name).length;
}

/** Waits in real time: `vi.waitFor` would let the time that tests hold still pass. */
async function untilOneHangs(countHung: () => number): Promise<void> {
  while (countHung() === 0) await scheduler.wait(1);
  await scheduler.wait(5);
  expect(countHung()).toBe(1);
}

/** Lets the limit of all calls that are under way run out, and nothing fail before. */
async function giveUp<T>(countHung: () => number, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let isSettled = false;
  const outcome = Promise.allSettled([work]).then(([settled]) => {
    isSettled = true;
    return settled;
  });
  await untilOneHangs(countHung);
  await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
  expect(isSettled).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  // In real time: nothing may be left that only a later timer would end.
  const settled = await Promise.race([outcome, scheduler.wait(1_000)]);
  if (!settled) throw new Error("still waits for an answer");
  return settled;
}

function buy(world: DeskWorld, desk: TestDesk, key: string, priceCents?: number): Promise<MadeOnce<OrderView>> {
  const [ticketTypeId = ""] = world.ticketTypeIds;
  return desk.place(world.place(key, [{ ticketTypeId, quantity: 1 }], priceCents));
}

async function buyForSure(world: DeskWorld, desk: TestDesk, key: string, priceCents?: number): Promise<OrderView> {
  const answer = await buy(world, desk, key, priceCents);
  if (!answer.ok) throw new Error(answer.failure.code);
  return answer.value;
}

describe("a call that is never answered", () => {
  it.each(["reserve", "lease"] as const)(
    "(%s) fails its purchase and a repeat that waits for it, and the same key buys once all is well",
    (name) =>
      inDeskWorld(async (world) => {
        const ticketTypeId = await world.addType(10);
        const desk = world.openDesk();
        const hung = hang(world, name);
        const both = Promise.allSettled([buy(world, desk, "one"), buy(world, desk, "one")]);
        const outcome = await giveUp(hung, both);
        const failed = { status: "rejected", reason: { message: `no answer to ${name} within 10 s` } };
        expect(outcome).toMatchObject({ value: [failed, failed] });
        world.fault = () => "ok";
        expect(await buy(world, desk, "one")).toMatchObject({ ok: true, replayed: false });
        expect(await buy(world, desk, "two")).toMatchObject({ ok: true });
        expect(world.stock(ticketTypeId)).toEqual({ heldCount: 2, soldCount: 0 });
        expect(vi.getTimerCount()).toBe(0);
      }),
  );

  it("(reserve) lets the holds behind it go on in the next call", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const hung = hang(world, "reserve");
      const first = buy(world, desk, "one");
      await untilOneHangs(hung);
      world.fault = () => "ok";
      const second = buy(world, desk, "two");
      expect(await giveUp(hung, first)).toMatchObject({ status: "rejected" });
      expect(await second).toMatchObject({ ok: true });
    }));

  it("(reserve) lets nobody wait through more than two calls, however many wait and however long it lasts", () =>
    inDeskWorld(async (world) => {
      await world.addType(1_000);
      const desk = world.openDesk();
      const hung = hang(world, "reserve");
      const first = buy(world, desk, "first");
      await untilOneHangs(hung);
      const crowd = Promise.allSettled(Array.from({ length: 300 }, (_, at) => buy(world, desk, `one of many ${at}`)));
      expect(await giveUp(hung, first)).toMatchObject({ status: "rejected" });
      while (hung() < 2) await scheduler.wait(1);
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      const outcomes = await Promise.race([crowd, scheduler.wait(1_000)]);
      expect(outcomes?.filter(({ status }) => status === "rejected")).toHaveLength(300);
    }));

  it("(confirm) leaves a paid order to the alarm, and the sales behind it go on", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const hung = hang(world, "confirm");
      expect(await giveUp(hung, buy(world, desk, "one", 0))).toMatchObject({
        value: { ok: true, value: { status: "PENDING" } },
      });
      world.fault = () => "ok";
      expect(await buyForSure(world, desk, "two", 0)).toMatchObject({ status: "AWAITING_MINT" });
      await world.settleDown(desk);
      expect(await buyForSure(world, desk, "one", 0)).toMatchObject({ id: world.request("one").requestId });
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 2 });
    }));

  it("(release) answers a cancellation, and the alarm gives the stock back", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const { id: orderId } = await buyForSure(world, desk, "one");
      const hung = hang(world, "release");
      const cancel = { request: world.request("stop", "", "cancel"), orderId };
      expect(await giveUp(hung, desk.cancel(cancel))).toMatchObject({ value: { ok: true } });
      world.fault = () => "ok";
      expect(await desk.cancel(cancel)).toMatchObject({ ok: true, replayed: true });
      await world.settleDown(desk);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 0 });
    }));

  it("(recall) fails a refund for now, and the same key pays back once the gate answers", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const { id: orderId } = await buyForSure(world, desk, "one", 0);
      const hung = hang(world, "recall");
      const command = refundOf(world, orderId, "back");
      expect(await giveUp(hung, desk.refund(command))).toMatchObject({ value: { ok: false, failure: { code: "overloaded" } } });
      world.fault = () => "ok";
      expect(await desk.refund(command)).toMatchObject({ ok: true });
      expect(await desk.findOrder(world.tenantId, orderId)).toMatchObject({ status: "REFUNDED" });
    }));

  it("(restock) answers a refund, whose tickets are dead, and the alarm puts the seats on sale again", () =>
    inDeskWorld(async (world) => {
      const ticketTypeId = await world.addType(10);
      const desk = world.openDesk();
      const { id: orderId } = await buyForSure(world, desk, "one", 0);
      const hung = hang(world, "restock");
      const refunded = { value: { ok: true, value: { status: "REFUNDED" } } };
      expect(await giveUp(hung, desk.refund(refundOf(world, orderId, "back")))).toMatchObject(refunded);
      world.fault = () => "ok";
      await world.settleDown(desk);
      expect(world.stock(ticketTypeId)).toEqual({ heldCount: 0, soldCount: 0 });
    }));

  it("(block) leaves a disputed payment to the alarm, and the gate refuses its ticket then", () =>
    inDeskWorld(async (world) => {
      await world.addType(10);
      const desk = world.openDesk();
      const { id: orderId } = await buyForSure(world, desk, "one");
      await desk.settle(world.news(orderId));
      const [ticket] = await desk.listTicketsOfOrder(world.tenantId, orderId);
      const hung = hang(world, "block");
      const settled = desk.settle(world.news(orderId, { type: "dispute.opened" }));
      await untilOneHangs(hung);
      await vi.advanceTimersByTimeAsync(LIMIT_MS);
      expect(await settled).toBe("recorded");
      world.fault = () => "ok";
      await world.settleDown(desk);
      expect([...world.gate.blocked]).toEqual([ticket?.id]);
    }));
});
