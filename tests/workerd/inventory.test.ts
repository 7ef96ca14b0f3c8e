import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { InventoryConfig, ReserveCommand, ReserveOutcome } from "#domain/inventory-messages";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { insertEvent, insertTicketType, makeInventoryConfig } from "../support/inventory-fixture.ts";

type Stub = DurableObjectStub<TicketTypeInventory>;

async function openSale(change: Partial<InventoryConfig> = {}): Promise<{ config: InventoryConfig; stub: Stub }> {
  const config = makeInventoryConfig(change);
  await insertEvent(config);
  await insertTicketType(config);
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  expect(await stub.configure(config)).toMatchObject({ ok: true });
  return { config, stub };
}

function makeHold(config: InventoryConfig, change: Partial<ReserveCommand> = {}): ReserveCommand {
  return { tenantId: config.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity: 1, ...change };
}

async function reserveOne(stub: Stub, command: ReserveCommand): Promise<ReserveOutcome> {
  const { outcomes } = await stub.reserve([command]);
  const [outcome] = outcomes;
  if (!outcome) throw new Error("no outcome");
  return outcome;
}

function stopClock(nowMs: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
}

afterEach(() => {
  vi.useRealTimers();
});

it("sells exactly 50 of 50 tickets to 500 buyers who come at once", async () => {
  const { config, stub } = await openSale({ capacity: 50 });
  const outcomes = await Promise.all(Array.from({ length: 500 }, () => reserveOne(stub, makeHold(config))));
  const refusals = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.failure]));
  expect(refusals).toHaveLength(450);
  expect(new Set(refusals.map((failure) => failure.code))).toEqual(new Set(["sold_out"]));
  expect(await stub.snapshot()).toMatchObject({ capacity: 50, heldCount: 50, soldCount: 0, availableCount: 0 });
});

it("sells exactly 50 of 50 tickets in 10,000 attempts at once", { timeout: 60_000 }, async () => {
  const { config, stub } = await openSale({ capacity: 50 });
  const holds = Array.from({ length: 10_000 }, () => makeHold(config));
  const outcomes = await Promise.all(holds.map((hold) => reserveOne(stub, hold)));
  const held = holds.filter((_, at) => outcomes[at]?.ok === true);
  expect(held).toHaveLength(50);
  const sales = held.map(({ tenantId, reservationId }) =>
    stub.confirm([{ tenantId, reservationId, orderId: crypto.randomUUID() }]),
  );
  expect((await Promise.all(sales)).flat().filter((sale) => sale.ok)).toHaveLength(50);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 0, soldCount: 50, availableCount: 0 });
});

it("never holds more than there is while the capacity changes under the buyers, and refuses a capacity below what is held", async () => {
  const { config, stub } = await openSale({ capacity: 30 });
  const capacities = [20, 60, 5, 45, 10, 50];
  const [holds, changes] = await Promise.all([
    Promise.all(Array.from({ length: 200 }, () => reserveOne(stub, makeHold(config)))),
    Promise.all(capacities.map((capacity) => stub.configure({ ...config, capacity }))),
  ]);
  const heldCount = holds.filter((outcome) => outcome.ok).length;
  const snapshot = await stub.snapshot();
  const lastTaken = capacities.findLast((_, at) => changes[at]?.ok === true) ?? config.capacity;
  expect(snapshot).toMatchObject({ heldCount, capacity: lastTaken });
  expect(heldCount).toBeLessThanOrEqual(60);
  for (const [at, change] of changes.entries()) {
    if (change.ok) expect(change.snapshot).toMatchObject({ capacity: capacities[at] });
    if (change.ok) expect(change.snapshot.heldCount).toBeLessThanOrEqual(change.snapshot.capacity);
    else expect(change.failure).toMatchObject({ code: "capacity_below_committed" });
  }
  expect(await stub.configure({ ...config, capacity: heldCount - 1 })).toMatchObject({
    failure: { code: "capacity_below_committed", committedCount: heldCount },
  });
  expect(await stub.configure({ ...config, capacity: heldCount })).toMatchObject({ ok: true });
  expect(await reserveOne(stub, makeHold(config))).toMatchObject({ failure: { code: "sold_out" } });
});

it("keeps every hold it answered, and none twice, when it is evicted in the middle of many", async () => {
  const { config, stub } = await openSale({ capacity: 150 });
  const holds = Array.from({ length: 200 }, () => makeHold(config));
  const fates = holds.map((hold) => reserveOne(stub, hold).catch(() => undefined));
  await evictDurableObject(stub);
  const answers = await Promise.all(fates);
  const fresh = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  const repeats = await Promise.all(holds.map((hold) => reserveOne(fresh, hold)));
  for (const [at, answer] of answers.entries()) if (answer?.ok) expect(repeats[at]).toEqual(answer);
  expect(repeats.filter((outcome) => outcome.ok)).toHaveLength(150);
  expect(await fresh.snapshot()).toMatchObject({ heldCount: 150, availableCount: 0 });
});

it("answers a batch of holds by position, each on what those before it left", async () => {
  const { config, stub } = await openSale({ capacity: 3 });
  const { outcomes, snapshot } = await stub.reserve([2, 2, 1].map((quantity) => makeHold(config, { quantity })));
  expect(outcomes.map((outcome) => outcome.ok)).toEqual([true, false, true]);
  expect(snapshot).toMatchObject({ heldCount: 3, availableCount: 0 });
});

it("answers a batch of sales by position, each on what those before it left", async () => {
  const { config, stub } = await openSale({ capacity: 2 });
  const [held, stranger] = [makeHold(config), makeHold(config)];
  await reserveOne(stub, held);
  const sales = [
    { ...held, orderId: "order" },
    { ...stranger, orderId: "order" },
    { ...held, orderId: "another" },
  ];
  expect((await stub.confirm(sales)).map((outcome) => outcome.ok)).toEqual([true, false, false]);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 0, soldCount: 1 });
});

it("stores what arrives in one turn with one commit", async () => {
  const { config, stub } = await openSale({ capacity: 100 });
  const commits = await runInDurableObject(stub, async (instance: TicketTypeInventory, state) => {
    const spy = vi.spyOn(state.storage, "transactionSync");
    const one = makeHold(config);
    await Promise.all([
      instance.reserve([one, makeHold(config)]),
      instance.reserve([makeHold(config)]),
      instance.confirm([{ tenantId: config.tenantId, reservationId: one.reservationId, orderId: crypto.randomUUID() }]),
      instance.release({ tenantId: config.tenantId, reservationId: one.reservationId, actor: "a", cause: "b" }),
    ]);
    return spy.mock.calls.length;
  });
  expect(commits).toBe(1);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 2, soldCount: 1 });
});

it("loses nobody's hold when a command beside it cannot be stored, and keeps nothing of that command", async () => {
  const { config, stub } = await openSale({ capacity: 10 });
  const poison = makeHold(config, { userId: null as never, quantity: 4 }); // storage refuses a hold of nobody
  const [before, after] = [makeHold(config), makeHold(config, { quantity: 2 })];
  const answers = await runInDurableObject(stub, (instance: TicketTypeInventory) =>
    Promise.allSettled([before, poison, after].map((command) => instance.reserve([command]))),
  );
  expect(answers.map((answer) => answer.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const page = await stub.listLines(config.tenantId, 0, 10);
  expect(page?.lines.map((line) => line.reservationId)).toEqual([before.reservationId, after.reservationId]);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 3, availableCount: 7 });
  await evictDurableObject(stub);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 3, availableCount: 7 });
});

it("frees the stock of an expired hold at its very millisecond, with no alarm having run", async () => {
  const startMs = Date.now();
  stopClock(startMs);
  const { config, stub } = await openSale({ capacity: 1, reservationTtlSeconds: 600 });
  const hold = makeHold(config);
  expect(await reserveOne(stub, hold)).toEqual({ ok: true, expiresAtMs: startMs + 600_000 });
  stopClock(startMs + 599_999);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 1, availableCount: 0 });
  expect(await reserveOne(stub, hold)).toMatchObject({ ok: true });
  stopClock(startMs + 600_000);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 0, availableCount: 1 });
  expect(await reserveOne(stub, hold)).toMatchObject({ ok: false, failure: { code: "reservation_expired" } });
  expect(await reserveOne(stub, makeHold(config))).toMatchObject({ ok: true });
});

it("does not sell a ticket twice when it wakes on a machine whose clock is behind", async () => {
  const startMs = Date.now();
  stopClock(startMs);
  const { config, stub } = await openSale({ capacity: 1, reservationTtlSeconds: 600 });
  const [early, late] = [makeHold(config), makeHold(config)];
  await reserveOne(stub, early);
  stopClock(startMs + 600_000);
  expect(await reserveOne(stub, late)).toMatchObject({ ok: true });
  await evictDurableObject(stub);
  stopClock(startMs + 599_000);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 1, availableCount: 0 });
  const orderId = crypto.randomUUID();
  expect(await stub.confirm([{ ...early, orderId }])).toMatchObject([{ ok: false, failure: { code: "sold_out" } }]);
  expect(await stub.confirm([{ ...late, orderId }])).toEqual([{ ok: true, retaken: false }]);
});

it("counts a buyer's holds and tickets against their maximum, also when the maximum comes later", async () => {
  const { config, stub } = await openSale({ capacity: 20 });
  const userId = crypto.randomUUID();
  const first = makeHold(config, { userId, quantity: 2 });
  await reserveOne(stub, first);
  await stub.confirm([{ ...first, orderId: crypto.randomUUID() }]);
  await stub.configure({ ...config, maxPerUser: 3 });
  const { outcomes } = await stub.reserve([1, 1].map((quantity) => makeHold(config, { userId, quantity })));
  expect(outcomes).toMatchObject([{ ok: true }, { ok: false, failure: { code: "user_limit_reached", maxPerUser: 3 } }]);
  expect(await reserveOne(stub, makeHold(config, { quantity: 3 }))).toMatchObject({ ok: true });
});

it("counts a hold against its buyer's maximum up to its expiry and not at it", async () => {
  const startMs = Date.now();
  stopClock(startMs);
  const { config, stub } = await openSale({ maxPerUser: 1, reservationTtlSeconds: 600 });
  const userId = crypto.randomUUID();
  await reserveOne(stub, makeHold(config, { userId }));
  stopClock(startMs + 599_999);
  expect(await reserveOne(stub, makeHold(config, { userId }))).toMatchObject({
    ok: false,
    failure: { code: "user_limit_reached" },
  });
  stopClock(startMs + 600_000);
  expect(await reserveOne(stub, makeHold(config, { userId }))).toMatchObject({ ok: true });
});

it("remembers across an eviction what was retaken and what was given back", async () => {
  const startMs = Date.now();
  stopClock(startMs);
  const { config, stub } = await openSale({ reservationTtlSeconds: 600 });
  const hold = makeHold(config, { quantity: 2 });
  await reserveOne(stub, hold);
  stopClock(startMs + 600_000);
  const sale = { ...hold, orderId: crypto.randomUUID() };
  expect(await stub.confirm([sale])).toEqual([{ ok: true, retaken: true }]);
  const { tenantId, reservationId } = hold;
  const restock = { tenantId, reservationId, commandId: "first", quantity: 1, actor: "clerk", cause: "refund" };
  expect(await stub.restock(restock)).toEqual({ ok: true });
  await evictDurableObject(stub);
  expect(await stub.confirm([sale])).toEqual([{ ok: true, retaken: true }]);
  expect(await stub.restock(restock)).toEqual({ ok: true });
  expect(await stub.snapshot()).toMatchObject({ soldCount: 1, availableCount: 9 });
  const tooMuch = { ok: false, failure: { code: "quantity_out_of_range", maxPerOrder: 1 } };
  expect(await stub.restock({ ...restock, commandId: "second", quantity: 2 })).toMatchObject(tooMuch);
});

it("knows nothing of another tenant's ticket type", async () => {
  const { config, stub } = await openSale();
  const hold = makeHold(config);
  await reserveOne(stub, hold);
  const stranger = { ...hold, tenantId: crypto.randomUUID() };
  const notFound = { ok: false, failure: { code: "not_found" } };
  expect(await reserveOne(stub, { ...makeHold(config), tenantId: stranger.tenantId })).toMatchObject(notFound);
  expect(await stub.confirm([{ ...stranger, orderId: crypto.randomUUID() }])).toMatchObject([notFound]);
  expect(await stub.release({ ...stranger, actor: "a", cause: "b" })).toMatchObject(notFound);
  expect(await stub.configure({ ...config, tenantId: stranger.tenantId })).toMatchObject(notFound);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 1 });
});

it("says that a ticket type was never configured", async () => {
  const config = makeInventoryConfig();
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  expect(await stub.snapshot()).toBeUndefined();
  const { outcomes, snapshot } = await stub.reserve([makeHold(config)]);
  expect(outcomes).toMatchObject([{ ok: false, failure: { code: "not_found" } }]);
  expect(snapshot).toBeUndefined();
});

it("finds what a command needs by key, without reading through all reservations", async () => {
  const { config, stub } = await openSale({ maxPerUser: 5 });
  const [sold, held] = [makeHold(config), makeHold(config)];
  const plans = await runInDurableObject(stub, async (instance: TicketTypeInventory, state) => {
    const { sql } = state.storage;
    const exec = vi.spyOn(sql, "exec");
    await instance.reserve([sold, held]);
    await instance.confirm([{ ...sold, orderId: "order" }]);
    await instance.release({ ...held, actor: "buyer", cause: "changed_mind" });
    await instance.restock({ ...sold, commandId: "refund", actor: "clerk", cause: "refund" });
    const calls = exec.mock.calls.slice();
    exec.mockRestore();
    return calls.flatMap(([query, ...bindings]) =>
      sql.exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${query}`, ...bindings).toArray(),
    );
  });
  const details = plans.map((plan) => plan.detail);
  expect(details.filter((detail) => /SCAN (reservations|restocks)/.test(detail))).toEqual([]);
  expect(details.filter((detail) => detail.startsWith("SEARCH reservations USING")).length).toBeGreaterThan(4);
  expect(details.some((detail) => detail.includes("INDEX reservations_by_user"))).toBe(true);
});
