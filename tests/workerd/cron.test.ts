/** What the cron makes good: objects whose alarm the platform lost, and rows that nobody needs any more. */
import { createScheduledController, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { discountStockName } from "#domain/discount-stock";
import { deskName, deskNumberOf } from "#domain/ids";
import { CRON_JOBS, runCron } from "#services/upkeep/run-cron";
import { createCronContext } from "#src/compose";
import worker from "#src/index";
import { makeLogger, type LogLine } from "../support/call-service.ts";
import { buy, flushDeskOf, hold, idOf, openSale } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

const HOUR_MS = 3_600_000;

beforeAll(() => {
  serveOutside();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** The cron's handler as the platform calls it. */
async function runHandler(): Promise<void> {
  await worker.scheduled(createScheduledController(), env);
}

/** Without the job that wakes whatever has its turn in this minute. */
const STALE_JOBS = CRON_JOBS.filter(({ name }) => name.includes("stale"));

function passTime(ms: number): void {
  const nowMs = Date.now() + ms;
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
}

type Stub = DurableObjectStub;

/** Takes the object's alarm away, as the platform does with one that failed seven times. */
async function loseAlarm(stub: Stub): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.storage.deleteAlarm());
  expect(await hasAlarm(stub)).toBe(false);
}

function hasAlarm(stub: Stub): Promise<boolean> {
  return runInDurableObject(stub, async (_, state) => (await state.storage.getAlarm()) !== null);
}

async function statusIn(table: "orders" | "reservations", id: string): Promise<unknown> {
  return env.DB.prepare(`SELECT status FROM ${table} WHERE id = ?`).bind(id).first("status");
}

describe("an object whose alarm was lost", () => {
  it("is swept by the cron: holds that are over read so in D1 again", async () => {
    const sale = await openSale({ reservationTtlSeconds: 60 });
    const stub = env.TICKET_TYPE_INVENTORY.getByName(sale.typeId);
    const reservationId = idOf(await hold(sale, await sale.makeBuyer()));
    await vi.waitFor(async () => expect(await statusIn("reservations", reservationId)).toBe("ACTIVE"), { timeout: 5_000 });
    await loseAlarm(stub);
    passTime(100_000);
    await runCron(createCronContext(env, Date.now()), STALE_JOBS);
    expect(await hasAlarm(stub)).toBe(false);
    passTime(30_000);
    await runHandler();
    expect(await hasAlarm(stub)).toBe(true);
    await runDurableObjectAlarm(stub);
    expect(await statusIn("reservations", reservationId)).toBe("EXPIRED");
  });

  it("is woken by the cron when it is a desk: unpaid orders expire in D1", async () => {
    const sale = await openSale({ reservationTtlSeconds: 60 });
    const orderId = idOf(await buy(sale, await sale.makeBuyer()));
    await flushDeskOf(orderId);
    const stub = env.ORDER_DESK.getByName(deskName(deskNumberOf(orderId)));
    await loseAlarm(stub);
    passTime(121_000);
    await runHandler();
    expect(await hasAlarm(stub)).toBe(true);
    await runDurableObjectAlarm(stub);
    expect(await statusIn("orders", orderId)).toBe("EXPIRED");
  });

  it("is woken within an hour although D1 has heard nothing that looks stale", async () => {
    const sale = await openSale();
    const stub = env.TICKET_TYPE_INVENTORY.getByName(sale.typeId);
    const reservationId = crypto.randomUUID();
    await runInDurableObject(stub, async (object, state) => {
      await object.reserve([{ tenantId: sale.tenantId, reservationId, userId: crypto.randomUUID(), quantity: 1 }]);
      await state.storage.deleteAlarm();
    });
    await env.DB.prepare("UPDATE ticket_types SET held_count = 0 WHERE id = ?").bind(sale.typeId).run();
    for (let minute = 0; minute < 60; minute += 1) await runCron(createCronContext(env, HOUR_MS * 1_000 + minute * 60_000));
    expect(await hasAlarm(stub)).toBe(true);
  });

  it("is woken within an hour when it keeps the uses, or the first tickets, of a code", async () => {
    const sale = await openSale();
    const make = async (terms: object): Promise<string> =>
      idOf(await sale.manager.call("POST", "/api/v1/discounts", { body: terms }));
    const used = await make({ code: "USES", type: "percentage", percentBps: 1, maxUses: 9 });
    const early = await make({
      code: "EARLY",
      type: "early_bird",
      percentBps: 1,
      until: "2031-01-01T00:00:00Z",
      firstTickets: 9,
    });
    const stubs = [discountStockName(used, "uses"), discountStockName(early, "first_tickets")].map((name) =>
      env.TICKET_TYPE_INVENTORY.getByName(name),
    );
    for (const stub of stubs) {
      await runInDurableObject(stub, async (object, state) => {
        const command = {
          tenantId: sale.tenantId,
          reservationId: crypto.randomUUID(),
          userId: crypto.randomUUID(),
          quantity: 1,
        };
        await object.reserve([command]);
        await state.storage.deleteAlarm();
      });
    }
    for (let minute = 0; minute < 60; minute += 1) await runCron(createCronContext(env, HOUR_MS * 1_000 + minute * 60_000));
    expect(await Promise.all(stubs.map(hasAlarm))).toEqual([true, true]);
  });
});

describe("the cron", () => {
  it("forgets webhook ids after 10 minutes and Idempotency-Keys after 24 hours, and none before", async () => {
    const nowMs = Date.now();
    const nonce = env.DB.prepare("INSERT INTO webhook_nonces (provider, webhook_id, received_at_ms) VALUES ('test', ?, ?)");
    const key = env.DB.prepare(
      "INSERT INTO idempotency_keys (id, tenant_id, user_id, route, body_hash, created_at_ms) VALUES (?, 't', 'u', 'test', '', ?)",
    );
    await env.DB.batch([
      nonce.bind("old", nowMs - 600_001),
      nonce.bind("young", nowMs - 600_000),
      key.bind("old", nowMs - 86_400_001),
      key.bind("young", nowMs - 86_400_000),
    ]);
    await runCron(createCronContext(env, nowMs));
    const kept = await env.DB.batch<{ id: string }>([
      env.DB.prepare("SELECT webhook_id AS id FROM webhook_nonces WHERE provider = 'test'"),
      env.DB.prepare("SELECT id FROM idempotency_keys WHERE route = 'test'"),
    ]);
    expect(kept.map(({ results }) => results)).toEqual([[{ id: "young" }], [{ id: "young" }]]);
  });

  it("goes on with its other jobs when one fails, and says of each what became of it", async () => {
    const lines: LogLine[] = [];
    const done: string[] = [];
    const job = (name: string, run: () => Promise<number>) => ({ name, run });
    await runCron({ ...createCronContext(env, Date.now()), logger: makeLogger(lines) }, [
      job("first", () => Promise.reject(new Error("D1 is down"))),
      job("second", async () => done.push("second")),
    ]);
    expect(done).toEqual(["second"]);
    expect(lines).toMatchObject([
      { level: "error", fields: { job: "first" } },
      { level: "info", fields: { job: "second", count: 1 } },
    ]);
  });

  it("goes on with its other jobs after two minutes when one is never done, as an object that never answers makes it", async () => {
    const lines: LogLine[] = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const run = runCron({ ...createCronContext(env, Date.now()), logger: makeLogger(lines) }, [
      { name: "first", run: () => new Promise(() => undefined) },
      { name: "second", run: async () => 1 },
    ]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(lines).toMatchObject([
      { level: "error", fields: { job: "first" } },
      { level: "info", fields: { job: "second", count: 1 } },
    ]);
    await run;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("wakes every other object when one cannot be woken", async () => {
    const sales = await Promise.all([openSale({ reservationTtlSeconds: 60 }), openSale({ reservationTtlSeconds: 60 })]);
    for (const sale of sales) {
      const reservationId = idOf(await hold(sale, await sale.makeBuyer()));
      await vi.waitFor(async () => expect(await statusIn("reservations", reservationId)).toBe("ACTIVE"), { timeout: 5_000 });
      await loseAlarm(env.TICKET_TYPE_INVENTORY.getByName(sale.typeId));
    }
    const [broken = "", sound = ""] = sales.map((sale) => sale.typeId);
    const context = createCronContext(env, Date.now() + 121_000);
    const inventory: typeof context.upkeep.inventory = (id) => {
      if (id !== broken) return context.upkeep.inventory(id);
      return { ...context.upkeep.inventory(id), wake: () => Promise.reject(new Error("the object is away")) };
    };
    await runCron({ ...context, upkeep: { ...context.upkeep, inventory } });
    expect(await hasAlarm(env.TICKET_TYPE_INVENTORY.getByName(sound))).toBe(true);
  });
});
