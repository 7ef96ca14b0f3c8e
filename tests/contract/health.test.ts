import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Env } from "#src/config";
import { makeApp } from "../support/call-service.ts";
import { call, signIn } from "../support/contract-call.ts";
import { authorize } from "../support/sign-token.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A chain that says it is well or something else, or that nobody reaches. */
function serveChain(isUp: boolean, health = "ok"): void {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    if (!isUp) throw new Error("unreachable");
    const { id } = await new Request(input).json<{ id: unknown }>().catch(() => ({ id: 1 }));
    return Response.json({ jsonrpc: "2.0", id, result: health });
  });
}

const broken = {
  DB: { DB: { ...env.DB, prepare: () => fail() } as unknown as Env["DB"] }, // the check asks nothing else
  ORDER_DESK: { ORDER_DESK: { getByName: () => ({ findOrder: fail }) } as unknown as Env["ORDER_DESK"] }, // nor here
  MINT_QUEUE: { MINT_QUEUE: { metrics: fail } as unknown as Env["MINT_QUEUE"] }, // nor here
};

function fail(): never {
  throw new Error("down, and here is a secret address");
}

async function ask(
  path: string,
  change: Partial<Env> = {},
): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  const response = await makeApp({ env: change }).fetch(path, { headers: await authorize({ role: "admin" }) });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as Record<string, unknown>, text }; // a JSON object, by its shape
}

describe("/health and /health/live", () => {
  it.each(["/health", "/health/live"])("answer anyone while everything else is down: %s", async (path) => {
    serveChain(false);
    expect(await call("GET", path)).toMatchObject({ status: 200, body: { status: "ok", service: "edge-tickets" } });
    expect((await ask(path, { ...broken.DB, ...broken.ORDER_DESK })).status).toBe(200);
  });
});

describe("/health/ready", () => {
  it("says ok when the service can sell, mint and admit", async () => {
    serveChain(true);
    expect(await call("GET", "/health/ready")).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  it.each(["DB", "ORDER_DESK"] as const)("is 503 without what sale and door need: %s", async (name) => {
    serveChain(true);
    const { status, body, text } = await ask("/health/ready", broken[name]);
    expect([status, body["status"]]).toEqual([503, "down"]);
    expect(text).not.toContain("secret");
  });

  it("keeps selling without the chain or the queue, and says that something is amiss", async () => {
    const degraded = { status: 200, body: { status: "degraded" } };
    serveChain(false);
    expect(await ask("/health/ready")).toMatchObject(degraded);
    serveChain(true, "behind");
    expect(await ask("/health/ready")).toMatchObject(degraded);
    serveChain(true);
    expect((await ask("/health/ready", broken.MINT_QUEUE)).body).toMatchObject({ status: "degraded" });
  });

  it("asks the chain's node once in a second, however many ask, because its quota is what minting lives on", async () => {
    serveChain(true);
    vi.useFakeTimers({ toFake: ["Date"] });
    const app = makeApp({ env: {} });
    for (let asked = 0; asked < 20; asked += 1) expect((await app.fetch("/health/ready")).status).toBe(200);
    expect(vi.mocked(fetch)).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    await app.fetch("/health/ready");
    expect(vi.mocked(fetch)).toHaveBeenCalledTimes(2);
  });

  it("shows a stranger no more than that: not which dependency, not why", async () => {
    serveChain(false);
    const { body } = await ask("/health/ready");
    expect(Object.keys(body).toSorted()).toEqual(["service", "status", "timestamp"]);
  });

  it("does not wait longer than its time for a dependency that hangs", async () => {
    serveChain(true);
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    const hangs = { MINT_QUEUE: { metrics: () => new Promise(() => {}) } as unknown as Env["MINT_QUEUE"] }; // asks nothing else
    const asked = ask("/health/detailed", hangs);
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(3), { interval: 5 });
    await vi.advanceTimersByTimeAsync(2_000);
    vi.useRealTimers();
    expect((await asked).body["dependencies"]).toContainEqual(
      expect.objectContaining({ name: "queue", isUp: false, problem: "timeout" }),
    );
  });
});

describe("what operators see", () => {
  it("names each dependency, whether it is needed and what its breakers have counted", async () => {
    serveChain(true);
    const admin = await signIn("admin", crypto.randomUUID());
    const { body } = await admin.call("GET", "/health/detailed");
    const up = { isUp: true, problem: null };
    expect(body["dependencies"]).toMatchObject([
      { name: "d1", isNeeded: true, ...up },
      { name: "durable_objects", isNeeded: true, ...up },
      { name: "queue", isNeeded: false, ...up },
      { name: "chain", isNeeded: false, ...up },
    ]);
    const { body: breakers } = await admin.call("GET", "/health/circuit-breakers");
    expect(body["circuitBreakers"]).toEqual(breakers["items"]);
  });

  it("resets one breaker, or all, and says which; none by a name that does not exist", async () => {
    const admin = await signIn("admin", crypto.randomUUID());
    const reset = (body?: unknown): ReturnType<typeof admin.call> =>
      admin.call("POST", "/health/circuit-breakers/reset", { body });
    const name = "payment-provider-standard";
    expect(await reset({ name })).toMatchObject({ status: 200, body: { reset: [name] } });
    const { body } = await admin.call("GET", "/health/circuit-breakers");
    const { length } = body["items"] as unknown[]; // declared so
    for (const all of [await reset({}), await reset()]) expect(all.body["reset"]).toHaveLength(length);
    expect(await reset({ name: "nobody" })).toMatchObject({ status: 404, body: { code: "not_found" } });
  });
});
