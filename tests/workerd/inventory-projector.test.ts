import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { InventoryConfig } from "#domain/inventory-messages";
import { InventoryProjector } from "#durable-objects/inventory-projector/inventory-projector";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { projectInventory, type InventoryNews } from "#storage/reservations";
import { makeBreakableD1 } from "../support/breakable-reach.ts";
import { insertEvent, insertTicketType, makeChange, makeInventoryConfig, makeNews } from "../support/inventory-fixture.ts";

/** Longer than a trip waits for company. */
const MANY_WAITS_MS = 10_000;

async function openType(capacity = 1_000): Promise<InventoryConfig> {
  const config = makeInventoryConfig({ capacity });
  await insertEvent(config);
  await insertTicketType(config);
  return config;
}

function openTypes(count: number): Promise<InventoryConfig[]> {
  return Promise.all(Array.from({ length: count }, () => openType()));
}

/** News of so many holds. */
function tellHolds(config: InventoryConfig, count = 1): InventoryNews {
  const changes = Array.from({ length: count }, (_, at) => makeChange(at + 1, "ACTIVE", crypto.randomUUID()));
  return makeNews(config, changes, count);
}

/** A projector whose trips to D1 a test counts, and may hold up or break. */
async function openProjector(before: () => Promise<undefined> = async () => undefined): Promise<{
  readonly project: (news: InventoryNews) => Promise<boolean>;
  readonly trips: () => number;
}> {
  let trips = 0;
  const db = makeBreakableD1(async (_, make) => {
    trips += 1;
    await before();
    return make();
  });
  const stub = env.INVENTORY_PROJECTOR.getByName(crypto.randomUUID());
  const projector = await runInDurableObject(stub, (_, state) => new InventoryProjector(state, { DB: db }));
  return { project: (news) => projector.project(news), trips: () => trips };
}

type Stub = DurableObjectStub<TicketTypeInventory>;

async function openInventory(): Promise<{ readonly config: InventoryConfig; readonly stub: Stub }> {
  const config = await openType();
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await stub.configure(config);
  return { config, stub };
}

/** Makes so many holds of one ticket. @returns their ids. */
async function holdEach(stub: Stub, { tenantId }: InventoryConfig, count: number): Promise<string[]> {
  const reservationIds = Array.from({ length: count }, () => crypto.randomUUID());
  await stub.reserve(reservationIds.map((reservationId) => ({ tenantId, reservationId, userId: "user", quantity: 1 })));
  return reservationIds;
}

/** What an inventory has not told yet. */
function readOutbox(stub: Stub): Promise<unknown> {
  return runInDurableObject(stub, (_, state) => state.storage.sql.exec("SELECT attempts FROM outbox").toArray());
}

async function readHeld({ ticketTypeId }: InventoryConfig): Promise<unknown> {
  const [type, reservations, history] = await env.DB.batch<{ count: number }>(
    [
      "SELECT held_count AS count FROM ticket_types WHERE id = ?",
      "SELECT COUNT(*) AS count FROM reservations WHERE ticket_type_id = ? AND status = 'ACTIVE'",
      "SELECT COUNT(*) AS count FROM reservation_history WHERE ticket_type_id = ?",
    ].map((sql) => env.DB.prepare(sql).bind(ticketTypeId)),
  );
  return [type, reservations, history].map((found) => found?.results[0]?.count);
}

/** The scheduler, whose waits end when the test lets them. */
function holdWaits(): { readonly waits: number[]; readonly end: () => void } {
  const waits: number[] = [];
  let ends: (() => void)[] = [];
  vi.spyOn(scheduler, "wait").mockImplementation((delayMs) => {
    waits.push(delayMs);
    return new Promise((resolve) => ends.push(resolve));
  });
  const end = (): void => {
    for (const resolve of ends) resolve();
    ends = [];
  };
  return { waits, end };
}

let nowMs = 0;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  vi.spyOn(Date, "now").mockImplementation(() => nowMs);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("takes news that come alone to D1 at once, and those that come soon after in one trip", async () => {
  const [first, ...others] = await openTypes(20);
  if (!first) throw new Error("no type");
  const { project, trips } = await openProjector();
  const { waits, end } = holdWaits();
  expect(await project(tellHolds(first))).toBe(true);
  expect([trips(), waits]).toEqual([1, []]);
  const told = Promise.all(others.map((config) => project(tellHolds(config, 3))));
  await vi.waitFor(() => expect(waits).toEqual([300]));
  expect(trips()).toBe(1);
  end();
  expect(await told).toEqual(others.map(() => true));
  expect(trips()).toBe(2);
  expect(await readHeld(first)).toEqual([1, 1, 1]);
  for (const config of others) expect(await readHeld(config)).toEqual([3, 3, 3]);
});

it("waits for nobody once news fill a trip, and divides what is more than one", async () => {
  const [first, ...others] = await openTypes(7);
  if (!first) throw new Error("no type");
  const { promise: firstTrip, resolve: endFirstTrip } = Promise.withResolvers<undefined>();
  const { project, trips } = await openProjector(() => firstTrip);
  const { waits, end } = holdWaits();
  const told = [first, ...others].map((config) => project(tellHolds(config, 49)));
  expect(trips()).toBe(1);
  endFirstTrip(undefined);
  // Six times 49 changes have come meanwhile: five fill the next trip, the sixth waits for company.
  expect(await Promise.all(told.slice(0, -1))).toEqual(Array.from({ length: 6 }, () => true));
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  expect(trips()).toBe(2);
  end();
  expect(await told.at(-1)).toBe(true);
  expect(trips()).toBe(3);
  for (const config of others) expect(await readHeld(config)).toEqual([49, 49, 49]);
});

it("tells each inventory of its own rows alone when D1 refuses some of another", async () => {
  const [sound, broken, later] = await openTypes(3);
  const missing = makeInventoryConfig();
  if (!sound || !broken || !later) throw new Error("no types");
  const { project } = await openProjector();
  const wrong = makeNews(broken, [{ ...makeChange(1, "ACTIVE", crypto.randomUUID()), quantity: -1 }], 1);
  const [first, ...outcomes] = await Promise.allSettled([
    project(tellHolds(later)),
    project(tellHolds(sound, 2)),
    project(wrong),
    project(tellHolds(missing)),
    project(tellHolds(later, 2)),
  ]);
  expect(first).toEqual({ status: "fulfilled", value: true });
  expect(outcomes).toEqual([
    { status: "fulfilled", value: true },
    { status: "rejected", reason: expect.objectContaining({ message: expect.stringContaining("CHECK constraint") as string }) },
    { status: "fulfilled", value: false },
    { status: "fulfilled", value: true },
  ]);
  expect(await readHeld(sound)).toEqual([2, 2, 2]);
  expect(await readHeld(broken)).toEqual([0, 0, 0]);
});

it("finds the one inventory whose rows D1 refuses in a few trips, however many share one", async () => {
  const [first, broken, ...sound] = await openTypes(66);
  if (!first || !broken) throw new Error("no types");
  const { project, trips } = await openProjector();
  await project(tellHolds(first));
  const wrong = makeNews(broken, [{ ...makeChange(1, "ACTIVE", crypto.randomUUID()), quantity: -1 }], 1);
  const outcomes = await Promise.allSettled([project(wrong), ...sound.map((config) => project(tellHolds(config)))]);
  expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(1);
  expect(trips()).toBeLessThanOrEqual(2 + 2 * 7);
  for (const config of sound) expect(await readHeld(config)).toEqual([1, 1, 1]);
});

it("takes in smaller trips what is too big for one", async () => {
  const configs = await openTypes(3);
  const { project, trips } = await openProjector(async () => {
    if (trips() === 2) throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
  });
  expect(await Promise.all(configs.map((config) => project(tellHolds(config))))).toEqual([true, true, true]);
  expect(trips()).toBe(4);
});

it("tells everyone when D1 is away, and goes on with the next", async () => {
  const [first, second] = await openTypes(2);
  if (!first || !second) throw new Error("no types");
  let isAway = true;
  const { project, trips } = await openProjector(async () => {
    if (isAway) throw new Error("D1_ERROR: network connection lost");
  });
  const outcomes = await Promise.allSettled([project(tellHolds(first)), project(tellHolds(second)), project(tellHolds(first))]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(trips()).toBe(1);
  isAway = false;
  expect(await project(tellHolds(second))).toBe(true);
});

it("gives a trip up that D1 never answers, tells everyone who waits, and goes on with the next", async () => {
  const [first, second] = await openTypes(2);
  if (!first || !second) throw new Error("no types");
  let hangs = true;
  const { project, trips } = await openProjector(async () => (hangs ? new Promise(() => {}) : undefined));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  for (const trip of [1, 2]) {
    const outcomes = Promise.allSettled([first, second, first].map((config) => project(tellHolds(config))));
    await vi.waitFor(() => expect(trips()).toBe(trip)); // the first takes one, the second all three
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  }
  hangs = false;
  expect(await project(tellHolds(second))).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it("keeps the newer counters when an inventory tells twice in one trip", async () => {
  const config = await openType();
  const { project, trips } = await openProjector();
  await project(makeNews(config, [], 1));
  await Promise.all([project(makeNews(config, [], 7)), project(makeNews(config, [], 5))]);
  expect(trips()).toBe(2);
  expect(await readHeld(config)).toEqual([7, 0, 0]);
});

it("holds nobody up when the clock is set back", async () => {
  const config = await openType();
  const { project } = await openProjector();
  const { waits, end } = holdWaits();
  await project(tellHolds(config));
  nowMs -= 3_600_000;
  const told = project(tellHolds(config));
  await vi.waitFor(() => expect(waits).toHaveLength(1));
  expect(waits[0]).toBeLessThan(MANY_WAITS_MS);
  end();
  expect(await told).toBe(true);
});

it("keeps nobody waiting for a trip that could not set out, and sets out again", async () => {
  const config = await openType();
  const { project } = await openProjector();
  await project(tellHolds(config));
  vi.spyOn(scheduler, "wait").mockRejectedValueOnce(new Error("no timer"));
  await expect(project(tellHolds(config))).rejects.toThrow("no timer");
  expect(await project(tellHolds(config))).toBe(true);
});

it.each([
  { when: "before D1 has the news", isTold: false },
  { when: "before it could say that D1 has them", isTold: true },
])("loses nothing and doubles nothing when it dies $when", async ({ isTold }) => {
  const { config, stub } = await openInventory();
  await holdEach(stub, config, 2);
  vi.spyOn(InventoryProjector.prototype, "project").mockImplementationOnce(async (news) => {
    if (isTold) await projectInventory(env.DB, news);
    throw new Error("the object was reset");
  });
  await runDurableObjectAlarm(stub);
  expect(await readHeld(config)).toEqual(isTold ? [2, 2, 2] : [0, 0, 0]);
  await vi.waitFor(async () => {
    await runDurableObjectAlarm(stub);
    expect(await readOutbox(stub)).toEqual([]);
  });
  expect(await readHeld(config)).toEqual([2, 2, 2]);
});

it("takes small news of a tenant's inventories, and leaves large ones to themselves", async () => {
  const project = vi.spyOn(InventoryProjector.prototype, "project");
  const { config, stub } = await openInventory();
  await runDurableObjectAlarm(stub);
  const countTrips = async (holds: number): Promise<number> => {
    await holdEach(stub, config, holds);
    project.mockClear();
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(stub);
      expect(await readOutbox(stub)).toEqual([]);
    });
    return project.mock.calls.length;
  };
  expect(await countTrips(49)).toBe(1);
  expect(await countTrips(50)).toBe(0);
  expect(await readHeld(config)).toEqual([99, 99, 99]);
});

it("lets an inventory set the one row aside that D1 refuses, whoever took it there", async () => {
  const { config, stub } = await openInventory();
  const [, spoiled] = await holdEach(stub, config, 3);
  await runInDurableObject(stub, (_, state) => {
    const spoil = "UPDATE outbox SET body = json_set(body, '$.quantity', -1) WHERE body ->> 'reservationId' = ?";
    state.storage.sql.exec(spoil, spoiled);
  });
  const halving = async (): Promise<void> => {
    await runDurableObjectAlarm(stub);
    expect(await readOutbox(stub)).toEqual([{ attempts: 1 }]);
  };
  await vi.waitFor(halving, { timeout: MANY_WAITS_MS });
  expect(await readHeld(config)).toEqual([3, 2, 2]);
});
