import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { idsOf, makeWebhookBench, type Received, type TestEndpoint, type WebhookBench } from "../support/webhook-bench.ts";

let bench: WebhookBench;

beforeEach(async () => {
  bench = await makeWebhookBench();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const refuse =
  (status = 500) =>
  (): Response =>
    new Response("no", { status });

async function listDeliveries({ id }: TestEndpoint): Promise<Record<string, unknown>[]> {
  const { body } = await bench.admin.call("GET", `/api/v1/webhook-endpoints/${id}/deliveries?limit=100`);
  return body["items"] as Record<string, unknown>[]; // checked by call
}

async function statusOf({ id }: TestEndpoint): Promise<unknown> {
  const { body } = await bench.admin.call("GET", "/api/v1/webhook-endpoints");
  return (body["items"] as Record<string, unknown>[]).find((endpoint) => endpoint["id"] === id)?.["status"]; // checked by call
}

async function countRows(table: "outbox" | "webhook_deliveries"): Promise<unknown> {
  return env.DB.prepare(`SELECT count(*) AS count FROM ${table} WHERE tenant_id = ?`).bind(bench.admin.tenantId).first("count");
}

/** Verifies as a receiver does. @throws when the signature is not good. */
function verify({ body, headers }: Received, secret: string): unknown {
  return new Webhook(secret).verify(body, Object.fromEntries(headers));
}

describe("an event", () => {
  it("reaches every endpoint of its tenant that wants it, signed with that endpoint's secret, and no other", async () => {
    const all = await bench.makeEndpoint();
    const chosen = await bench.makeEndpoint({ eventTypes: ["ticket.canceled"] });
    const choosy = await bench.makeEndpoint({ eventTypes: ["ticket.transferred"] });
    const elsewhere = await makeWebhookBench();
    const stranger = await elsewhere.makeEndpoint();
    await bench.emit("ticket.canceled", { ticketId: "k" });
    await bench.settle();
    await elsewhere.settle();
    expect([all, chosen, choosy, stranger].map(({ received }) => received.length)).toEqual([1, 1, 0, 0]);
    const [first] = all.received;
    const [second] = chosen.received;
    if (!first || !second) throw new Error("nothing was received");
    const timestamp = new Date(bench.nowMs).toISOString();
    expect(verify(first, all.secret)).toEqual({ type: "ticket.canceled", timestamp, data: { ticketId: "k" } });
    expect(verify(second, chosen.secret)).toEqual(verify(first, all.secret));
    expect(() => verify(first, chosen.secret)).toThrow("No matching signature");
    expect(idsOf([first])).toEqual(idsOf([second]));
    expect(first.headers.get("content-type")).toBe("application/json");
    expect(await listDeliveries(all)).toMatchObject([{ status: "SUCCEEDED", attempts: 1, lastStatus: 204, lastError: null }]);
  });

  it("of a tenant without endpoints leaves nothing behind", async () => {
    await bench.emit();
    await bench.settle();
    expect([await countRows("outbox"), await countRows("webhook_deliveries")]).toEqual([0, 0]);
  });

  it("is sent once to an endpoint however many crons and nudges announce it at the same instant", async () => {
    const endpoint = await bench.makeEndpoint();
    await Promise.all(Array.from({ length: 7 }, () => bench.emit()));
    await Promise.all([bench.runCron(), bench.consume([{ endpointId: null }, { endpointId: null }]), bench.runCron()]);
    await Promise.all([bench.drain(), bench.drain()]);
    await bench.settle();
    expect(new Set(idsOf(endpoint.received)).size).toBe(7);
    expect(endpoint.received).toHaveLength(7);
  });

  it("of more than can be announced at once reaches its endpoint all the same", async () => {
    const endpoint = await bench.makeEndpoint();
    for (let round = 0; round < 12; round += 1) await Promise.all(Array.from({ length: 10 }, () => bench.emit()));
    await bench.settle();
    expect(new Set(idsOf(endpoint.received)).size).toBe(120);
    expect(await countRows("outbox")).toBe(0);
  });
});

describe("an attempt in vain", () => {
  it("is followed by another under the same id and over the same bytes, after growing pauses, until one is taken", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = refuse();
    await bench.emit();
    await bench.settle();
    const startMs = bench.nowMs;
    for (const pauseMs of [5_000, 5 * MINUTE_MS, 30 * MINUTE_MS]) {
      bench.nowMs += pauseMs - 1;
      await bench.settle();
      const before = endpoint.received.length;
      if (pauseMs === 30 * MINUTE_MS) endpoint.answer = () => new Response("fine");
      bench.nowMs += 1;
      await bench.settle();
      expect(endpoint.received).toHaveLength(before + 1);
    }
    expect(endpoint.received.map(({ atMs }) => atMs - startMs)).toEqual([0, 5_000, 305_000, 2_105_000]);
    expect(new Set(idsOf(endpoint.received)).size).toBe(1);
    expect(new Set(endpoint.received.map(({ body }) => body)).size).toBe(1);
    // Each attempt is signed for its own time, else a receiver would refuse the late ones.
    const times = endpoint.received.map(({ headers }) => Number(headers.get("webhook-timestamp")) * 1000);
    expect(times).toEqual(endpoint.received.map(({ atMs }) => Math.floor(atMs / 1000) * 1000));
    expect(await listDeliveries(endpoint)).toMatchObject([
      { status: "SUCCEEDED", attempts: 4, lastStatus: 200, lastError: null },
    ]);
  });

  it("is followed at once by the queue, without waiting for the cron, while its pause is short", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = refuse();
    await bench.emit();
    await bench.settle();
    bench.nowMs += 5_000;
    await bench.drain();
    expect(endpoint.received).toHaveLength(2);
  });

  it("is one with a redirect, which is not followed, with a network that fails and with no answer in time", async () => {
    const elsewhere = await bench.makeEndpoint({ eventTypes: ["ticket.transferred"] });
    const endpoint = await bench.makeEndpoint({ eventTypes: ["ticket.canceled"] });
    await bench.emit();
    const lasts: unknown[] = [];
    for (const answer of [
      () => new Response(null, { status: 307, headers: { location: elsewhere.url } }),
      () => Promise.reject(new TypeError("connection refused, said the host secretly")),
      () => Promise.reject(new DOMException("signal timed out", "TimeoutError")),
      refuse(404),
    ]) {
      endpoint.answer = answer;
      await bench.settle();
      const [delivery] = await listDeliveries(endpoint);
      lasts.push([delivery?.["status"], delivery?.["lastStatus"], delivery?.["lastError"]]);
      bench.nowMs += DAY_MS;
    }
    expect(elsewhere.received).toEqual([]);
    expect(lasts).toEqual([
      ["PENDING", 307, "redirected"],
      ["PENDING", null, "unreachable"],
      ["PENDING", null, "timeout"],
      ["PENDING", 404, "bad_status"],
    ]);
  });

  it("for the tenth time is the last one, until somebody replays it", async () => {
    const endpoint = await bench.makeEndpoint();
    const healthy = await bench.makeEndpoint();
    endpoint.answer = refuse();
    await bench.emit();
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await bench.settle();
      // Somebody takes something in between, so that the endpoint is not disabled.
      await env.DB.prepare("UPDATE webhook_endpoints SET failing_since_ms = NULL WHERE id = ?").bind(endpoint.id).run();
      bench.nowMs += DAY_MS;
    }
    expect(endpoint.received).toHaveLength(10);
    expect(healthy.received).toHaveLength(1);
    expect(await listDeliveries(endpoint)).toMatchObject([{ status: "FAILED", attempts: 10, nextAttemptAt: null }]);
  });
});

describe("an endpoint that is slow or dead", () => {
  it("holds up neither the other endpoints in its batch nor, once it rests, anything else", async () => {
    const dead = await bench.makeEndpoint();
    const other = await bench.makeEndpoint();
    const hanging: (() => void)[] = [];
    dead.answer = () =>
      new Promise((_, reject) => {
        hanging.push(() => reject(new DOMException("signal timed out", "TimeoutError")));
      });
    await Promise.all(Array.from({ length: 20 }, () => bench.emit()));
    await bench.runCron();
    const running = bench.drain();
    await vi.waitFor(() => expect(other.received).toHaveLength(20), { timeout: 10_000 });
    const sentToDead = dead.received.length;
    expect(sentToDead).toBeLessThanOrEqual(3);
    for (const timeOut of hanging) timeOut();
    await running;
    // It rests: of what waits for it nothing more is sent, whoever asks for it.
    await bench.settle();
    await bench.consume([{ endpointId: dead.id }]);
    expect(dead.received).toHaveLength(sentToDead);
  });

  it("is disabled with an alert after five days without a success, and gets what waited once it is enabled", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = refuse(503);
    for (let day = 0; day <= 5; day += 1) {
      expect(await statusOf(endpoint)).toBe("ACTIVE");
      await bench.emit();
      await bench.settle();
      bench.nowMs += DAY_MS;
    }
    expect(await statusOf(endpoint)).toBe("DISABLED");
    const alerts = bench.lines.filter(({ fields }) => fields["endpointId"] === endpoint.id);
    expect(alerts).toMatchObject([{ level: "error", fields: { alert: "webhook_endpoint_disabled", cause: "failing" } }]);
    const before = endpoint.received.length;
    await bench.emit();
    await bench.settle();
    expect(endpoint.received).toHaveLength(before);
    endpoint.answer = () => new Response(null, { status: 204 });
    const enabled = await bench.admin.call("POST", `/api/v1/webhook-endpoints/${endpoint.id}/enable`);
    expect(enabled).toMatchObject({ status: 200, body: { status: "ACTIVE", failingSince: null, disabledAt: null } });
    await bench.settle();
    const pending = (await listDeliveries(endpoint)).filter(({ status }) => status === "PENDING");
    expect(pending).toEqual([]);
    expect(endpoint.received.length).toBeGreaterThan(before);
  });

  it("is disabled at once when it answers 410", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = refuse(410);
    await bench.emit();
    await bench.settle();
    expect(await statusOf(endpoint)).toBe("DISABLED");
  });

  it("goes on at full speed after one success", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = refuse();
    await Promise.all(Array.from({ length: 30 }, () => bench.emit()));
    await bench.settle();
    expect(endpoint.received.length).toBeLessThanOrEqual(6);
    endpoint.answer = () => new Response(null, { status: 204 });
    bench.nowMs += 5_000;
    await bench.settle();
    expect(new Set(idsOf(endpoint.received)).size).toBe(30);
  });
});
