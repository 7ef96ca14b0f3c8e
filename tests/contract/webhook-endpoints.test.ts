import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { configureLog } from "#platform/logger";
import { ROUTES } from "#http/routes";
import { createEventContext } from "#src/compose";
import { call, pathOf, signIn, type Caller } from "../support/contract-call.ts";
import { idsOf, makeWebhookBench, type TestEndpoint, type WebhookBench } from "../support/webhook-bench.ts";

const PATH = "/api/v1/webhook-endpoints";
const HOOK_URL = "https://hooks.example.org/tickets";

/** The routes that name an endpoint. */
const OF_ONE = ROUTES.filter(({ path }) => path.startsWith(`${PATH}/{id}`));

let bench: WebhookBench;
let admin: Caller;

beforeEach(async () => {
  bench = await makeWebhookBench();
  ({ admin } = bench);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => {
  configureLog("info");
});

type Items = Record<string, unknown>[];

const itemsOf = ({ body }: Awaited<ReturnType<Caller["call"]>>): Items => body["items"] as Items; // checked by call

const deliveriesOf = ({ id }: TestEndpoint): string => `${PATH}/${id}/deliveries`;

async function listDeliveries(endpoint: TestEndpoint): Promise<Items> {
  return itemsOf(await admin.call("GET", deliveriesOf(endpoint)));
}

describe("an endpoint", () => {
  it("is made with a secret that is shown once and never again", async () => {
    const made = await admin.call("POST", PATH, { body: { url: HOOK_URL, eventTypes: ["ticket.canceled"] } });
    expect(made).toMatchObject({
      status: 201,
      body: { url: HOOK_URL, eventTypes: ["ticket.canceled"], description: null, status: "ACTIVE", failingSince: null },
    });
    const secret = String(made.body["secret"]);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const list = await admin.call("GET", PATH);
    expect(itemsOf(list)).toMatchObject([{ id: made.body["id"], url: HOOK_URL }]);
    const enabled = await admin.call("POST", `${PATH}/${String(made.body["id"])}/enable`);
    for (const { body } of [list, enabled]) expect(JSON.stringify(body)).not.toMatch(/secret|whsec|sealed/i);
  });

  it("is told of nothing, and not there, once it is deleted", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    expect((await admin.call("DELETE", `${PATH}/${endpoint.id}`)).status).toBe(204);
    await bench.settle();
    expect(endpoint.received).toEqual([]);
    expect(itemsOf(await admin.call("GET", PATH))).toEqual([]);
    expect(OF_ONE.length).toBeGreaterThan(4);
    for (const route of OF_ONE) {
      const path = pathOf(route, { id: endpoint.id });
      expect(await admin.call(route.method, path), path).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
  });

  it.each([
    ["no URL", {}],
    ["http", { url: "http://hooks.example.org" }],
    ["a private address", { url: "https://192.168.0.1/hook" }],
    ["the service itself", { url: `${env.PUBLIC_BASE_URL}/hook` }],
    ["a password in the URL", { url: "https://user:word@hooks.example.org" }],
    ["a URL of 1,001 characters", { url: `https://hooks.example.org/${"x".repeat(1_001 - 26)}` }],
    ["an event that does not exist", { url: HOOK_URL, eventTypes: ["ticket.eaten"] }],
    ["a field that nobody declared", { url: HOOK_URL, secret: "mine" }],
    ["a description of 201 characters", { url: HOOK_URL, description: "x".repeat(201) }],
  ])("is not made with %s", async (_, body) => {
    expect(await admin.call("POST", PATH, { body })).toMatchObject({ status: 400, body: { code: "validation_failed" } });
    expect(itemsOf(await admin.call("GET", PATH))).toEqual([]);
  });

  it("is the twentieth of its tenant at most, however many are made at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 25 }, () => admin.call("POST", PATH, { body: { url: HOOK_URL } }).then(({ status }) => status)),
    );
    expect(made.filter((status) => status === 201)).toHaveLength(20);
    expect(made.filter((status) => status === 400)).toHaveLength(5);
    const [first] = itemsOf(await admin.call("GET", PATH));
    await admin.call("DELETE", `${PATH}/${String(first?.["id"])}`);
    expect((await admin.call("POST", PATH, { body: { url: HOOK_URL } })).status).toBe(201);
  });

  it("is listed once, the oldest first, page by page", async () => {
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) {
      ids.push((await bench.makeEndpoint()).id);
      await scheduler.wait(2);
    }
    const first = await admin.call("GET", `${PATH}?limit=3`);
    const second = await admin.call("GET", `${PATH}?limit=3&cursor=${String(first.body["nextCursor"])}`);
    expect([first, second].flatMap(itemsOf).map(({ id }) => id)).toEqual(ids);
    expect(second.body["nextCursor"]).toBeNull();
  });

  it("of another tenant does not exist", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.settle();
    const [delivery] = await listDeliveries(endpoint);
    const stranger = await signIn("admin", crypto.randomUUID());
    expect(itemsOf(await stranger.call("GET", PATH))).toEqual([]);
    for (const route of OF_ONE) {
      const path = pathOf(route, { id: endpoint.id, deliveryId: String(delivery?.["id"]) });
      expect(await stranger.call(route.method, path), path).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
    await bench.emit();
    await bench.settle();
    expect(endpoint.received).toHaveLength(2);
  });

  it("is an admin's matter alone", async () => {
    const { token } = await signIn("venue_manager", admin.tenantId);
    expect((await call("GET", PATH, { token })).status).toBe(403);
    expect((await call("POST", PATH, { token, body: { url: HOOK_URL } })).status).toBe(403);
  });
});

describe("deliveries", () => {
  it("are listed once each, newest first, page by page, with what became of them", async () => {
    const endpoint = await bench.makeEndpoint();
    for (let sent = 0; sent < 5; sent += 1) {
      endpoint.answer = () => new Response(null, { status: sent === 4 ? 500 : 204 });
      await bench.emit();
      await bench.settle();
      bench.nowMs += 1;
    }
    const first = await admin.call("GET", `${deliveriesOf(endpoint)}?limit=3`);
    const second = await admin.call("GET", `${deliveriesOf(endpoint)}?limit=3&cursor=${String(first.body["nextCursor"])}`);
    const items = [first, second].flatMap(itemsOf);
    expect(items.map(({ eventId }) => eventId)).toEqual(idsOf(endpoint.received).toReversed());
    expect(second.body["nextCursor"]).toBeNull();
    expect(items[0]).toMatchObject({
      eventType: "ticket.canceled",
      status: "PENDING",
      lastStatus: 500,
      lastError: "bad_status",
    });
    expect(items[1]).toMatchObject({ status: "SUCCEEDED", attempts: 1, nextAttemptAt: null, lastStatus: 204, lastError: null });
  });

  it("are made once more when replayed, under the same webhook-id, also those that were taken", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.settle();
    const [delivery] = await listDeliveries(endpoint);
    const replay = `${deliveriesOf(endpoint)}/${String(delivery?.["id"])}/replay`;
    expect(await admin.call("POST", replay)).toMatchObject({ status: 202, body: { status: "PENDING", attempts: 1 } });
    bench.nowMs = Date.now();
    await bench.settle();
    const [first, second] = endpoint.received;
    expect(endpoint.received).toHaveLength(2);
    expect(second?.body).toBe(first?.body);
    expect(new Set(idsOf(endpoint.received)).size).toBe(1);
    expect(second && new Webhook(endpoint.secret).verify(second.body, Object.fromEntries(second.headers))).toBeDefined();
    expect(await listDeliveries(endpoint)).toMatchObject([{ status: "SUCCEEDED", attempts: 2 }]);
    expect((await admin.call("POST", `${deliveriesOf(endpoint)}/${crypto.randomUUID()}/replay`)).status).toBe(404);
  });

  it("are replayed at once also to an endpoint that rests after it failed", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = () => new Response(null, { status: 500 });
    await bench.emit();
    await bench.settle();
    endpoint.answer = () => new Response(null, { status: 200 });
    const [delivery] = await listDeliveries(endpoint);
    await admin.call("POST", `${deliveriesOf(endpoint)}/${String(delivery?.["id"])}/replay`);
    bench.nowMs = Math.max(bench.nowMs, Date.now());
    await bench.settle();
    expect(await listDeliveries(endpoint)).toMatchObject([{ status: "SUCCEEDED", attempts: 2 }]);
  });

  it("are not replayed to another endpoint of the tenant, nor to one that is disabled", async () => {
    const [one, other] = [await bench.makeEndpoint(), await bench.makeEndpoint({ eventTypes: ["ticket.transferred"] })];
    await bench.emit();
    await bench.settle();
    const [delivery] = await listDeliveries(one);
    const replayAt = (endpoint: TestEndpoint): ReturnType<Caller["call"]> =>
      admin.call("POST", `${deliveriesOf(endpoint)}/${String(delivery?.["id"])}/replay`);
    expect((await replayAt(other)).status).toBe(404);
    one.answer = () => new Response(null, { status: 410 });
    await bench.emit();
    await bench.settle();
    expect(await replayAt(one)).toMatchObject({ status: 409, body: { code: "webhook_endpoint_disabled" } });
  });
});

describe("the log", () => {
  it("holds neither secret, signature nor address of an endpoint, however it does", async () => {
    configureLog("debug");
    const lines: string[] = [];
    for (const method of ["log", "debug", "info", "warn", "error"] as const) {
      vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void lines.push(parts.map(String).join(" ")));
    }
    const { logger } = createEventContext(env);
    const endpoint = await bench.makeEndpoint({ description: "the ledger" });
    const rotated = await admin.call("POST", `${PATH}/${endpoint.id}/secret`);
    for (const status of [204, 500, 410]) {
      endpoint.answer = () => new Response(null, { status });
      await bench.emit();
      await bench.runCron();
      await bench.consume([{ endpointId: endpoint.id }], { logger });
      bench.nowMs += 60_000;
    }
    await admin.call("POST", PATH, { body: { url: `${endpoint.url}#x` } });
    await admin.call("DELETE", `${PATH}/${endpoint.id}`);
    const log = lines.join("\n");
    expect(log).toContain("webhook_endpoint_disabled");
    const signatures = endpoint.received.flatMap(({ headers }) => (headers.get("webhook-signature") ?? "").split(" "));
    expect(signatures.length).toBeGreaterThan(3);
    for (const text of [endpoint.secret, String(rotated.body["secret"]), endpoint.url, ...signatures]) {
      expect(log).not.toContain(text.slice(-24));
    }
  });
});
