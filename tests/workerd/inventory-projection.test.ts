import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { InventoryConfig, ReserveCommand } from "#domain/inventory-messages";
import { UNHURRIED_REST_MS } from "#durable-objects/durable-ledger";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { projectInventory } from "#storage/reservations";
import { insertEvent, insertTicketType, makeChange, makeInventoryConfig, makeNews } from "../support/inventory-fixture.ts";

type Stub = DurableObjectStub<TicketTypeInventory>;

const HOLD_SECONDS = 600;

async function openSale(change: Partial<InventoryConfig> = {}): Promise<{ config: InventoryConfig; stub: Stub }> {
  const config = makeInventoryConfig({ capacity: 100, reservationTtlSeconds: HOLD_SECONDS, ...change });
  await insertEvent(config);
  await insertTicketType(config);
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await stub.configure(config);
  return { config, stub };
}

function makeHold(config: InventoryConfig, quantity = 1): ReserveCommand {
  return { tenantId: config.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity };
}

/** Runs the object's alarm until D1 has heard everything. */
async function flush(stub: Stub): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    await runDurableObjectAlarm(stub);
    const waiting = await runInDurableObject(stub, (_, state) =>
      state.storage.sql.exec("SELECT seq FROM outbox LIMIT 1").toArray(),
    );
    if (waiting.length === 0) return;
    await scheduler.wait(5); // an alarm of the platform's own may be delivering
  }
  throw new Error("the outbox was not emptied");
}

async function readType(config: InventoryConfig): Promise<Record<string, unknown> | null> {
  return env.DB.prepare("SELECT quantity, held_count, sold_count, counters_seq FROM ticket_types WHERE id = ?")
    .bind(config.ticketTypeId)
    .first();
}

async function listReservations(config: InventoryConfig): Promise<Record<string, unknown>[]> {
  const statement = env.DB.prepare("SELECT * FROM reservations WHERE ticket_type_id = ? ORDER BY created_at_ms, id");
  return (await statement.bind(config.ticketTypeId).all()).results;
}

async function listHistory(config: InventoryConfig): Promise<Record<string, unknown>[]> {
  const statement = env.DB.prepare("SELECT * FROM reservation_history WHERE ticket_type_id = ? ORDER BY seq");
  return (await statement.bind(config.ticketTypeId).all()).results;
}

async function readProjection(config: InventoryConfig): Promise<unknown> {
  return { type: await readType(config), reservations: await listReservations(config), history: await listHistory(config) };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("lists in D1 what the inventory decided, with a history in which every change has its number", async () => {
  const { config, stub } = await openSale();
  const [kept, sold, released] = [makeHold(config, 2), makeHold(config, 3), makeHold(config)];
  await stub.reserve([kept, sold, released]);
  const orderId = crypto.randomUUID();
  await stub.confirm([{ ...sold, orderId }]);
  await stub.release({ ...released, actor: "ann", cause: "changed_mind" });
  const restock = { tenantId: config.tenantId, reservationId: sold.reservationId, commandId: crypto.randomUUID(), quantity: 1 };
  await stub.restock({ ...restock, actor: "clerk", cause: "refund" });
  await flush(stub);
  expect(await readType(config)).toMatchObject({ quantity: 100, held_count: 2, sold_count: 2 });
  const rows = new Map((await listReservations(config)).map((row) => [row["id"], row]));
  expect(rows.size).toBe(3);
  const common = { tenant_id: config.tenantId, event_id: config.eventId };
  expect(rows.get(kept.reservationId)).toMatchObject({
    ...common,
    status: "ACTIVE",
    quantity: 2,
    order_id: null,
    user_id: kept.userId,
    seq: 1,
  });
  expect(rows.get(sold.reservationId)).toMatchObject({
    ...common,
    status: "COMPLETED",
    quantity: 3,
    order_id: orderId,
    seq: 6,
  });
  expect(rows.get(released.reservationId)).toMatchObject({ ...common, status: "CANCELLED", seq: 5 });
  expect(
    (await listHistory(config)).map((row) => [row["seq"], row["status"], row["quantity"], row["actor"], row["cause"]]),
  ).toEqual([
    [1, "ACTIVE", 2, kept.userId, "held"],
    [2, "ACTIVE", 3, sold.userId, "held"],
    [3, "ACTIVE", 1, released.userId, "held"],
    [4, "COMPLETED", 3, `order:${orderId}`, "sold"],
    [5, "CANCELLED", 1, "ann", "changed_mind"],
    [6, "COMPLETED", 1, "clerk", "refund"],
  ]);
});

it("shows expired stock as available in D1 once the alarm has run, however many holds expired", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openSale({ capacity: 700 });
  await stub.reserve(Array.from({ length: 620 }, () => makeHold(config)));
  await flush(stub);
  expect(await readType(config)).toMatchObject({ held_count: 620 });
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  await runDurableObjectAlarm(stub);
  expect(await readType(config)).toMatchObject({ held_count: 0, sold_count: 0 });
  await flush(stub);
  await runDurableObjectAlarm(stub);
  await flush(stub);
  const statuses = new Set((await listReservations(config)).map((row) => row["status"]));
  expect(statuses).toEqual(new Set(["EXPIRED"]));
  expect((await listHistory(config)).map((row) => row["seq"])).toEqual(
    Array.from({ length: 1240 }, (_, position) => position + 1),
  );
});

it("tells of expiries in smaller pieces than of a sale and rests after each, so that a sweep holds up no buyer for long", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openSale({ capacity: 700 });
  await flush(stub);
  await stub.reserve(Array.from({ length: 620 }, () => makeHold(config)));
  const pieces: number[] = [];
  await runInDurableObject(stub, (_, { storage: { sql } }) => {
    const exec = sql.exec.bind(sql);
    vi.spyOn(sql, "exec").mockImplementation((query, ...bindings) => {
      if (query.startsWith("DELETE FROM outbox")) pieces.push((JSON.parse(String(bindings[0])) as number[]).length); // our own JSON
      return exec(query, ...bindings);
    });
  });
  const wait = vi.spyOn(scheduler, "wait");
  await runDurableObjectAlarm(stub);
  expect(pieces).toEqual([250, 250, 120]);
  expect(wait.mock.calls).toEqual([[0], [0]]);
  pieces.length = 0;
  wait.mockClear();
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  await runDurableObjectAlarm(stub);
  expect(pieces).toEqual([100, 100, 50]);
  expect(wait.mock.calls).toEqual(Array.from({ length: 7 }, () => [UNHURRIED_REST_MS])); // five commits of 50, two full deliveries
});

it("reads each hold a few times while it sweeps many, however many are left", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openSale({ capacity: 700 });
  await stub.reserve(Array.from({ length: 620 }, () => makeHold(config)));
  await flush(stub);
  const exec = await runInDurableObject(stub, (_, { storage: { sql } }) => vi.spyOn(sql, "exec"));
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  for (let alarm = 0; alarm < 3; alarm += 1) await runDurableObjectAlarm(stub); // 250 holds each
  const readCount = exec.mock.results.reduce((sum, { value }) => {
    const { rowsRead } = value as SqlStorageCursor<Record<string, SqlStorageValue>>; // what `exec` gives
    return sum + rowsRead;
  }, 0);
  expect(await stub.snapshot()).toMatchObject({ heldCount: 0 });
  expect(readCount).toBeLessThan(620 * 13);
});

it("loads only what is not settled, and still knows every reservation", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openSale();
  const [old, sold] = [makeHold(config), makeHold(config)];
  await stub.reserve([old, sold]);
  await stub.confirm([{ ...sold, orderId: "order" }]);
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  const fresh = makeHold(config, 4);
  await stub.reserve([fresh]);
  await flush(stub);
  await evictDurableObject(stub);
  const settled = await runInDurableObject(stub, (_, state) =>
    state.storage.sql.exec("SELECT settled_position AS p FROM counters").one(),
  );
  expect(settled).toEqual({ p: 2 });
  expect(await stub.snapshot()).toMatchObject({ heldCount: 4, soldCount: 1, availableCount: 95 });
  expect(await stub.confirm([{ ...old, orderId: "late" }])).toEqual([{ ok: true, retaken: true }]);
});

it("tells D1 nothing twice: news that come again, late or out of order change nothing", async () => {
  const { config } = await openSale();
  const id = crypto.randomUUID();
  const [first, second, third] = [
    makeChange(1, "ACTIVE", id),
    makeChange(2, "COMPLETED", id),
    makeChange(3, "ACTIVE", crypto.randomUUID()),
  ];
  await projectInventory(env.DB, makeNews(config, [first, second], 2));
  await projectInventory(env.DB, makeNews(config, [third], 3));
  const settled = await readProjection(config);
  for (const news of [
    makeNews(config, [first], 1),
    makeNews(config, [third, second, first], 2),
    makeNews(config, [first, second, third], 3),
  ]) {
    await projectInventory(env.DB, news);
    expect(await readProjection(config)).toEqual(settled);
  }
  expect(await readType(config)).toMatchObject({ held_count: 3, counters_seq: 3 });
  expect((await listReservations(config)).map((row) => [row["id"], row["status"]])).toEqual(
    expect.arrayContaining([
      [third.reservationId, "ACTIVE"],
      [id, "COMPLETED"],
    ]),
  );
});

it("shows a lost piece of news as a gap in the history's numbers", async () => {
  const { config } = await openSale();
  const id = crypto.randomUUID();
  await projectInventory(env.DB, makeNews(config, [makeChange(1, "ACTIVE", id)], 1));
  await projectInventory(env.DB, makeNews(config, [makeChange(3, "COMPLETED", id)], 3));
  expect((await listHistory(config)).map((row) => row["seq"])).toEqual([1, 3]);
});

it("keeps its news while D1 does not have the ticket type yet, sets none of it aside, and tells it once D1 has", async () => {
  const config = makeInventoryConfig();
  await insertEvent(config);
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await stub.configure(config);
  await stub.reserve([makeHold(config), makeHold(config)]);
  await runDurableObjectAlarm(stub);
  const rows = await runInDurableObject(stub, (_, state) => state.storage.sql.exec("SELECT attempts FROM outbox").toArray());
  expect(rows).toEqual([{ attempts: 0 }, { attempts: 0 }, { attempts: 0 }]);
  await insertTicketType(config);
  await flush(stub);
  expect(await readType(config)).toMatchObject({ held_count: 2 });
  expect(await listHistory(config)).toHaveLength(2);
});

it("brings a changed quantity to D1 even when no ticket moves", async () => {
  const { config, stub } = await openSale();
  await stub.configure({ ...config, capacity: 40 });
  await flush(stub);
  expect(await readType(config)).toMatchObject({ quantity: 40, held_count: 0, sold_count: 0 });
});

it("wakes with an alarm when a crash left news without one", async () => {
  const { config, stub } = await openSale();
  await stub.reserve([makeHold(config)]);
  await runInDurableObject(stub, (_, state) => state.storage.deleteAlarm());
  await evictDurableObject(stub);
  await stub.snapshot();
  await flush(stub);
  expect(await listReservations(config)).toHaveLength(1);
});
