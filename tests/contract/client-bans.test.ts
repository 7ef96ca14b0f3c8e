/** Clients that go on breaking rate limits, over HTTP and with the object that counts their strikes. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { hashParts } from "#domain/ids";
import { ClientBans } from "#durable-objects/client-bans/client-bans";
import { makeApp, readProblem } from "../support/call-service.ts";
import { signToken } from "../support/sign-token.ts";

const WINDOW_MS = 10_000;

afterEach(() => {
  vi.useRealTimers();
});

function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

/** Limits that let nothing through while `isFull`. */
function makeLimits() {
  const limits = { isFull: true };
  const limit = { limit: async () => ({ success: !limits.isFull }) };
  return { limits, env: { RATE_LIMIT_READ: limit, RATE_LIMIT_SALE: limit } };
}

interface Client {
  readonly userId: string;
  ask(): Promise<Response>;
}

async function makeClient(app: ReturnType<typeof makeApp>, tenantId: string = crypto.randomUUID()): Promise<Client> {
  const userId = crypto.randomUUID();
  const authorization = `Bearer ${await signToken({ tenantId, sub: userId, ttlSeconds: 7_200 })}`;
  return { userId, ask: () => app.fetch("/api/v1/orders", { headers: { authorization } }) };
}

/** Is refused in so many windows. @returns the statuses. */
async function breakLimits(client: Client, windows: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let window = 0; window < windows; window += 1) {
    passTime(WINDOW_MS);
    statuses.push((await client.ask()).status);
  }
  return statuses;
}

describe("a client that goes on breaking rate limits", () => {
  it("is blocked with 403 and told for how long, also when the limits have room again", async () => {
    const { limits, env: changed } = makeLimits();
    const client = await makeClient(makeApp({ env: changed }));
    expect(await breakLimits(client, 5)).toEqual([429, 429, 429, 429, 403]);
    limits.isFull = false;
    const response = await client.ask();
    expect(await readProblem(response)).toMatchObject({ status: 403, code: "client_blocked" });
    const seconds = Number(response.headers.get("retry-after"));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(60);
    passTime(seconds * 1_000);
    expect((await client.ask()).status).toBe(200);
  });

  it("is blocked within one window when it pays no heed to 429 at all", async () => {
    const { env: changed } = makeLimits();
    const client = await makeClient(makeApp({ env: changed }));
    passTime(0);
    const statuses: number[] = [];
    for (let request = 0; request < 401; request += 1) statuses.push((await client.ask()).status);
    expect(statuses.indexOf(403)).toBe(399);
    expect(statuses.slice(399)).toEqual([403, 403]);
  });

  it("is not helped by another isolate: its strikes are counted together", async () => {
    const { env: changed } = makeLimits();
    const tenantId = crypto.randomUUID();
    const client = await makeClient(makeApp({ env: changed }), tenantId);
    await breakLimits(client, 4);
    const other = makeApp({ env: makeLimits().env });
    const authorization = `Bearer ${await signToken({ tenantId, sub: client.userId, ttlSeconds: 7_200 })}`;
    passTime(WINDOW_MS);
    expect((await other.fetch("/api/v1/orders", { headers: { authorization } })).status).toBe(403);
    expect((await client.ask()).status).toBe(403);
  });

  it("blocks nobody else: not its tenant, not its address, no webhook and no health check", async () => {
    const { limits, env: changed } = makeLimits();
    const app = makeApp({ env: changed });
    const tenantId = crypto.randomUUID();
    const client = await makeClient(app, tenantId);
    const neighbour = await makeClient(app, tenantId);
    await breakLimits(client, 5);
    limits.isFull = false;
    expect((await client.ask()).status).toBe(403);
    expect((await neighbour.ask()).status).toBe(200);
    expect((await app.fetch("/problems")).status).toBe(200);
    expect((await app.fetch("/health")).status).toBe(200);
    expect((await app.fetch("/api/v1/webhooks/payments/standard", { method: "POST", body: "{}" })).status).toBe(401);
  });

  it("is blocked by its address when it has not signed in", async () => {
    const { limits, env: changed } = makeLimits();
    const app = makeApp({ env: changed });
    const address = crypto.randomUUID();
    const ask = (): Promise<Response> => app.fetch("/problems", { headers: { "cf-connecting-ip": address } });
    expect(await breakLimits({ userId: "", ask }, 5)).toEqual([429, 429, 429, 429, 403]);
    limits.isFull = false;
    expect((await ask()).status).toBe(403);
    expect((await app.fetch("/problems")).status).toBe(200);
  });

  it("is blocked when it takes another IPv6 address of its network for each request", async () => {
    const { env: changed } = makeLimits();
    const app = makeApp({ env: changed });
    const network = `2001:db8:${crypto.randomUUID().slice(0, 4)}:1`;
    let last = 0;
    const ask = (): Promise<Response> => {
      last += 1;
      return app.fetch("/problems", { headers: { "cf-connecting-ip": `${network}::${last}` } });
    };
    expect(await breakLimits({ userId: "", ask }, 5)).toEqual([429, 429, 429, 429, 403]);
  });

  it("is blocked when it sends tokens that are none", async () => {
    const { limits, env: changed } = makeLimits();
    const app = makeApp({ env: changed });
    const headers = { "cf-connecting-ip": crypto.randomUUID(), authorization: "Bearer none" };
    const ask = (): Promise<Response> => app.fetch("/api/v1/orders", { headers });
    limits.isFull = false;
    expect((await ask()).status).toBe(401);
    limits.isFull = true;
    expect(await breakLimits({ userId: "", ask }, 5)).toEqual([429, 429, 429, 429, 403]);
  });
});

describe("the object that counts strikes", () => {
  it("knows them after a restart, names nobody, and forgets them a day after the last", async () => {
    const stub = env.CLIENT_BANS.getByName(`client-bans-test-${crypto.randomUUID()}`);
    const client = hashParts(["client", "somebody"]);
    for (let strike = 0; strike < 4; strike += 1) expect(await stub.strike(client, "flooding")).toBeNull();
    const countRows = (): Promise<number> =>
      runInDurableObject(stub, (_, state) => state.storage.sql.exec("SELECT * FROM clients").toArray().length);
    const blockedUntilMs = await runInDurableObject(stub, (_, state) => new ClientBans(state, env).strike(client, "flooding"));
    expect(blockedUntilMs).toBeGreaterThan(Date.now());
    passTime(86_400_000);
    await runDurableObjectAlarm(stub);
    expect(await countRows()).toBe(1);
    passTime(61_000);
    await runDurableObjectAlarm(stub);
    expect(await countRows()).toBe(0);
  });
});
