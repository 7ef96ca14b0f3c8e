import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signIn, type Caller, type CheckedAnswer } from "../support/contract-call.ts";
import { buy, hold, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

const PATH = "/api/v1/admin/blacklist";

interface Barring {
  readonly sale: Sale;
  readonly admin: Caller;
  readonly buyer: Caller;
  readonly bar: (change?: Readonly<Record<string, unknown>>) => Promise<CheckedAnswer>;
}

async function openBarring(): Promise<Barring> {
  const sale = await openSale();
  const admin = await signIn("admin", sale.tenantId);
  const buyer = await sale.makeBuyer();
  const bar = (change: Readonly<Record<string, unknown>> = {}): Promise<CheckedAnswer> =>
    admin.call("POST", PATH, { body: { userId: buyer.userId, reason: "resale", ...change } });
  return { sale, admin, buyer, bar };
}

function expectBarred(answer: CheckedAnswer): void {
  expect([answer.status, answer.body["code"]]).toEqual([403, "user_blacklisted"]);
}

/** Breaks every statement to D1 while `work` runs. */
async function withoutD1<T>(work: () => Promise<T>): Promise<T> {
  const failing = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, "prepare").mockImplementation(() => {
    throw new Error("D1_ERROR: D1 is down");
  });
  try {
    return await work();
  } finally {
    failing.mockRestore();
  }
}

describe("a blacklisted buyer", () => {
  it("may neither hold nor buy, from their own hold neither, and takes no stock", async () => {
    const { sale, buyer, bar } = await openBarring();
    const reservationId = idOf(await hold(sale, buyer));
    const before = await sale.readStock();
    expect((await bar()).status).toBe(201);
    expectBarred(await hold(sale, buyer));
    expectBarred(await buy(sale, buyer));
    expectBarred(await buyer.call("POST", "/api/v1/purchase", { key: "k", body: { reservationId } }));
    expect(await sale.readStock()).toEqual(before);
    expect((await buy(sale, await sale.makeBuyer())).status).toBe(201);
  });

  it("gets the first answer again to what was answered before", async () => {
    const { sale, buyer, bar } = await openBarring();
    const bought = await buy(sale, buyer, 1, "bought");
    const held = await hold(sale, buyer, 1, "held");
    await bar();
    for (const [again, first] of [
      [await buy(sale, buyer, 1, "bought"), bought],
      [await hold(sale, buyer, 1, "held"), held],
    ] as const) {
      expect(again).toMatchObject({ status: 201, body: { id: first.body["id"] } });
      expect(again.headers.get("idempotency-replayed")).toBe("true");
    }
  });

  it("may buy again once they are off the list, and when their time on it is over", async () => {
    const { sale, admin, buyer, bar } = await openBarring();
    await bar();
    expectBarred(await buy(sale, buyer));
    expect((await admin.call("DELETE", `${PATH}/${buyer.userId}`)).status).toBe(204);
    expect((await buy(sale, buyer)).status).toBe(201);
    expect((await admin.call("DELETE", `${PATH}/${buyer.userId}`)).status).toBe(404);
    await bar({ expiresAt: new Date(Date.now() + 300).toISOString() });
    expectBarred(await buy(sale, buyer));
    await scheduler.wait(350);
    expect((await buy(sale, buyer)).status).toBe(201);
  });

  it("stays barred while D1 is down, and others go on buying", async () => {
    const { sale, buyer, bar } = await openBarring();
    await bar();
    expectBarred(await buy(sale, buyer));
    const other = await sale.makeBuyer();
    expect((await buy(sale, other)).status).toBe(201);
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ["Date"] });
    try {
      const [barred, free] = await withoutD1(() => Promise.all([buy(sale, buyer), buy(sale, other)]));
      expectBarred(barred);
      expect(free.status).toBe(201);
    } finally {
      vi.useRealTimers();
    }
  });

  it("of another tenant buys here as anyone does", async () => {
    const { sale, buyer } = await openBarring();
    const elsewhere = await signIn("admin", crypto.randomUUID());
    await elsewhere.call("POST", PATH, { body: { userId: buyer.userId, reason: "resale" } });
    expect((await elsewhere.call("GET", PATH)).body["items"]).toHaveLength(1);
    expect((await buy(sale, buyer)).status).toBe(201);
  });
});

describe("the blacklist", () => {
  it("bars also whom a list of more than 5,000 is too long to remember", async () => {
    const { sale, buyer, bar } = await openBarring();
    await bar();
    await env.DB.prepare(
      `INSERT INTO user_blacklists (tenant_id, user_id, reason, created_by, created_at_ms)
       WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001)
       SELECT ?, 'user-' || i, 'resale', 'test', ? + i FROM n`,
    )
      .bind(sale.tenantId, Date.now())
      .run();
    expectBarred(await buy(sale, buyer));
    expect((await buy(sale, await sale.makeBuyer())).status).toBe(201);
  });

  it("stops no sale where it was never read and D1 is down", async () => {
    const { sale, buyer } = await openBarring();
    await buyer.call("GET", `/api/v1/tickets/events/${sale.eventId}/types`);
    expect((await withoutD1(() => hold(sale, buyer))).status).toBe(201);
  });

  it("costs an order no statement to D1 once the isolate has read it", async () => {
    const { sale, buyer } = await openBarring();
    await buy(sale, buyer);
    const buyers = await Promise.all(Array.from({ length: 5 }, () => sale.makeBuyer()));
    const asked = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, "prepare");
    try {
      for (const one of buyers) expect((await buy(sale, one)).status).toBe(201);
      const statements = asked.mock.calls.map(([statement]) => statement);
      expect(statements.filter((statement) => statement.includes("user_blacklists")).length).toBeLessThan(2);
    } finally {
      asked.mockRestore();
    }
  });

  it("says who is on it, why and until when, newest first, page by page, once each", async () => {
    const { admin, buyer, bar } = await openBarring();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    await bar();
    const changed = await bar({ reason: "chargebacks", expiresAt });
    expect(changed).toMatchObject({ status: 201, body: { reason: "chargebacks", expiresAt, createdBy: admin.userId } });
    const others: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      const userId = crypto.randomUUID();
      others.unshift(userId);
      await bar({ userId, expiresAt: null });
      await scheduler.wait(2);
    }
    const first = await admin.call("GET", `${PATH}?limit=3`);
    const cursor = String(first.body["nextCursor"]);
    const second = await admin.call("GET", `${PATH}?limit=3&cursor=${cursor}`);
    const items = [first, second].flatMap(({ body }) => body["items"] as { userId: string; reason: string }[]); // checked by call
    expect(items.map(({ userId }) => userId)).toEqual([...others, buyer.userId]);
    expect(items.at(-1)).toMatchObject({ reason: "chargebacks", expiresAt });
    expect(second.body["nextCursor"]).toBeNull();
  });

  it.each([
    ["an end that has passed", { expiresAt: "2020-01-01T00:00:00Z" }],
    ["no reason", { reason: undefined }],
    ["an empty reason", { reason: " " }],
    ["a reason of 501 characters", { reason: "x".repeat(501) }],
    ["someone who is no user", { userId: "eve" }],
    ["a time that is none", { expiresAt: "tomorrow" }],
  ])("does not take %s", async (_, change) => {
    const { admin, bar } = await openBarring();
    const refused = await bar(change);
    expect([refused.status, refused.body["code"]]).toEqual([400, "validation_failed"]);
    expect((await admin.call("GET", PATH)).body["items"]).toEqual([]);
  });
});
