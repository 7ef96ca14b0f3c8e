import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { UNHURRIED_REST_MS } from "#durable-objects/durable-ledger";
import {
  flushInventory,
  HOLD_SECONDS,
  type InventoryStub,
  listHistory,
  listReservations,
  makeHold,
  openInventory,
  readType,
} from "../support/inventory-in-d1.ts";

/** How many rows the object's storage has read since. */
async function watchReads(stub: InventoryStub): Promise<() => number> {
  const exec = await runInDurableObject(stub, (_, { storage: { sql } }) => vi.spyOn(sql, "exec"));
  return () =>
    exec.mock.results.reduce((sum, { value }) => {
      const { rowsRead } = value as SqlStorageCursor<Record<string, SqlStorageValue>>; // what `exec` gives
      return sum + rowsRead;
    }, 0);
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("shows expired stock as available in D1 once the alarm has run, however many holds expired", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openInventory({ capacity: 700 });
  await stub.reserve(Array.from({ length: 620 }, () => makeHold(config)));
  await flushInventory(stub);
  expect(await readType(config)).toMatchObject({ held_count: 620 });
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  await runDurableObjectAlarm(stub);
  expect(await readType(config)).toMatchObject({ held_count: 0, sold_count: 0 });
  await flushInventory(stub);
  await runDurableObjectAlarm(stub);
  await flushInventory(stub);
  const statuses = new Set((await listReservations(config)).map((row) => row["status"]));
  expect(statuses).toEqual(new Set(["EXPIRED"]));
  expect((await listHistory(config)).map((row) => row["seq"])).toEqual(
    Array.from({ length: 1240 }, (_, position) => position + 1),
  );
});

it("tells of expiries in smaller pieces than of a sale and rests after each, so that a sweep holds up no buyer for long", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openInventory({ capacity: 700 });
  await flushInventory(stub);
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
  const { config, stub } = await openInventory({ capacity: 700 });
  await stub.reserve(Array.from({ length: 620 }, () => makeHold(config)));
  await flushInventory(stub);
  const countRead = await watchReads(stub);
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  for (let alarm = 0; alarm < 3; alarm += 1) await runDurableObjectAlarm(stub); // 250 holds each
  expect(await stub.snapshot()).toMatchObject({ heldCount: 0 });
  expect(countRead()).toBeLessThan(620 * 13);
});

it.each([
  ["as it counted them", false],
  ["loaded again", true],
])("reads no hold that goes on to find the few that ended, %s", async (_how, isEvicted) => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openInventory({ capacity: 700 });
  await stub.reserve(Array.from({ length: 5 }, () => makeHold(config, 2)));
  vi.setSystemTime(startMs + 1);
  await stub.reserve(Array.from({ length: 600 }, () => makeHold(config)));
  await flushInventory(stub);
  if (isEvicted) await evictDurableObject(stub);
  const countRead = await watchReads(stub);
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  await runDurableObjectAlarm(stub);
  expect(countRead()).toBeLessThan(200);
  const settled = await runInDurableObject(stub, (_, { storage }) =>
    storage.sql.exec("SELECT status FROM reservations LIMIT 6").toArray(),
  );
  expect(settled.map(({ status }) => status)).toEqual([...Array.from({ length: 5 }, () => "EXPIRED"), "ACTIVE"]);
});

it("loads only what is not settled, and still knows every reservation", async () => {
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const { config, stub } = await openInventory();
  const [old, sold] = [makeHold(config), makeHold(config)];
  await stub.reserve([old, sold]);
  await stub.confirm([{ ...sold, orderId: "order" }]);
  vi.setSystemTime(startMs + HOLD_SECONDS * 1000);
  const fresh = makeHold(config, 4);
  await stub.reserve([fresh]);
  await flushInventory(stub);
  await evictDurableObject(stub);
  const settled = await runInDurableObject(stub, (_, state) =>
    state.storage.sql.exec("SELECT settled_position AS p FROM counters").one(),
  );
  expect(settled).toEqual({ p: 2 });
  expect(await stub.snapshot()).toMatchObject({ heldCount: 4, soldCount: 1, availableCount: 95 });
  expect(await stub.confirm([{ ...old, orderId: "late" }])).toEqual([{ ok: true, retaken: true }]);
});
