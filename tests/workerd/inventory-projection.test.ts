import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { InventoryConfig } from "#domain/inventory-messages";
import { projectInventory } from "#storage/reservations";
import { insertEvent, insertTicketType, makeChange, makeInventoryConfig, makeNews } from "../support/inventory-fixture.ts";
import {
  flushInventory,
  type InventoryStub,
  listHistory,
  listReservations,
  makeHold,
  openInventory,
  readType,
} from "../support/inventory-in-d1.ts";

const HOUR_MS = 3_600_000;

async function readProjection(config: InventoryConfig): Promise<unknown> {
  return { type: await readType(config), reservations: await listReservations(config), history: await listHistory(config) };
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("lists in D1 what the inventory decided, with a history in which every change has its number", async () => {
  const { config, stub } = await openInventory();
  const [kept, sold, released] = [makeHold(config, 2), makeHold(config, 3), makeHold(config)];
  await stub.reserve([kept, sold, released]);
  const orderId = crypto.randomUUID();
  await stub.confirm([{ ...sold, orderId }]);
  await stub.release({ ...released, actor: "ann", cause: "changed_mind" });
  const restock = { tenantId: config.tenantId, reservationId: sold.reservationId, commandId: crypto.randomUUID(), quantity: 1 };
  await stub.restock({ ...restock, actor: "clerk", cause: "refund" });
  await flushInventory(stub);
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

it("tells D1 nothing twice: news that come again, late or out of order change nothing", async () => {
  const { config } = await openInventory();
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
  const { config } = await openInventory();
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
  await flushInventory(stub);
  expect(await readType(config)).toMatchObject({ held_count: 2 });
  expect(await listHistory(config)).toHaveLength(2);
});

/** How many news wait, and whether the object will wake for them. */
function readRest(stub: InventoryStub): Promise<{ readonly waiting: number; readonly wakes: boolean }> {
  return runInDurableObject(stub, async (_, { storage }) => ({
    waiting: storage.sql.exec("SELECT seq FROM outbox").toArray().length,
    wakes: (await storage.getAlarm()) !== null,
  }));
}

it.each([
  ["ticket type", {}],
  ["capped code", { discount: { discountId: "never-stored", cap: "uses" } }],
] satisfies [string, Partial<InventoryConfig>][])(
  "lets the inventory of a %s that was never stored sleep after an hour",
  async (_what, change) => {
    const config = makeInventoryConfig(change);
    const startMs = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: startMs });
    const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
    await stub.configure(config);
    vi.setSystemTime(startMs + HOUR_MS - 1);
    await runDurableObjectAlarm(stub);
    expect(await readRest(stub)).toEqual({ waiting: 1, wakes: true });
    vi.setSystemTime(startMs + HOUR_MS);
    await runDurableObjectAlarm(stub);
    expect(await readRest(stub)).toEqual({ waiting: 0, wakes: false });
  },
);

it("never forgets news of a sale, however long D1 does not have the ticket type", async () => {
  const config = makeInventoryConfig();
  await insertEvent(config);
  const startMs = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await stub.configure(config);
  const hold = makeHold(config);
  await stub.reserve([hold]);
  await stub.confirm([{ ...hold, orderId: "order" }]);
  vi.setSystemTime(startMs + 2 * HOUR_MS);
  await runDurableObjectAlarm(stub);
  expect(await readRest(stub)).toEqual({ waiting: 3, wakes: true });
  await insertTicketType(config);
  await flushInventory(stub);
  expect(await listHistory(config)).toHaveLength(2);
});

it("brings a changed quantity to D1 even when no ticket moves", async () => {
  const { config, stub } = await openInventory();
  await stub.configure({ ...config, capacity: 40 });
  await flushInventory(stub);
  expect(await readType(config)).toMatchObject({ quantity: 40, held_count: 0, sold_count: 0 });
});

it("wakes with an alarm when a crash left news without one", async () => {
  const { config, stub } = await openInventory();
  await stub.reserve([makeHold(config)]);
  await runInDurableObject(stub, (_, state) => state.storage.deleteAlarm());
  await evictDurableObject(stub);
  await stub.snapshot();
  await flushInventory(stub);
  expect(await listReservations(config)).toHaveLength(1);
});
