import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { idsOf, makeWebhookBench, type TestEndpoint, type WebhookBench } from "../support/webhook-bench.ts";

let bench: WebhookBench;

beforeEach(async () => {
  bench = await makeWebhookBench();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

async function listDeliveries({ id }: TestEndpoint): Promise<Record<string, unknown>[]> {
  const { body } = await bench.admin.call("GET", `/api/v1/webhook-endpoints/${id}/deliveries?limit=100`);
  return body["items"] as Record<string, unknown>[]; // checked by call
}

describe("a crash", () => {
  it("between sending an event and noting it sends it once more, under the same id", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.runCron();
    const dying = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, "batch");
    dying.mockRejectedValue(new Error("D1_ERROR: the machine died"));
    expect(await bench.consume([{ endpointId: endpoint.id }])).toEqual(["retry"]);
    dying.mockRestore();
    expect(endpoint.received).toHaveLength(1);
    bench.queued.length = 0;
    bench.nowMs += 89_000;
    await bench.settle();
    expect(endpoint.received).toHaveLength(1);
    bench.nowMs += 1_000;
    await bench.settle();
    expect(endpoint.received).toHaveLength(2);
    expect(new Set(idsOf(endpoint.received)).size).toBe(1);
    expect(await listDeliveries(endpoint)).toMatchObject([{ status: "SUCCEEDED", attempts: 1 }]);
  });

  it("of the queue loses no event: the cron sends what is due, and announces what nobody has announced", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.runCron();
    bench.queued.length = 0;
    await bench.emit();
    bench.nowMs += MINUTE_MS;
    await bench.settle();
    expect(endpoint.received).toHaveLength(2);
  });
});

describe("a run that outlived its lease", () => {
  it("neither undoes what a later one has noted nor frees the endpoint under it", async () => {
    const endpoint = await bench.makeEndpoint();
    let overtaken = Promise.resolve(["none"]);
    endpoint.answer = async () => {
      if (endpoint.received.length > 1) return new Response(null, { status: 204 });
      bench.nowMs += 90_000;
      overtaken = bench.consume([{ endpointId: endpoint.id }]);
      await overtaken;
      return new Response(null, { status: 500 });
    };
    await bench.emit();
    await bench.runCron();
    await bench.consume([{ endpointId: endpoint.id }]);
    expect(await overtaken).toEqual(["ack"]);
    expect(endpoint.received).toHaveLength(2);
    expect(await listDeliveries(endpoint)).toMatchObject([{ status: "SUCCEEDED", attempts: 1, lastStatus: 204 }]);
    const { body } = await bench.admin.call("GET", "/api/v1/webhook-endpoints");
    expect(body["items"]).toMatchObject([{ status: "ACTIVE", failingSince: null }]);
  });
});

describe("a deleted endpoint", () => {
  it("gets nothing more, also of what waits for it while its run is under way", async () => {
    const endpoint = await bench.makeEndpoint();
    endpoint.answer = async () => {
      await bench.admin.call("DELETE", `/api/v1/webhook-endpoints/${endpoint.id}`);
      return new Response(null, { status: 204 });
    };
    await Promise.all(Array.from({ length: 20 }, () => bench.emit()));
    await bench.settle();
    const sent = endpoint.received.length;
    expect(sent).toBeLessThanOrEqual(6);
    await bench.emit();
    bench.nowMs += DAY_MS;
    await bench.settle();
    expect(endpoint.received).toHaveLength(sent);
  });
});

describe("the event queue's consumer", () => {
  it("drops what it cannot read, and acknowledges what is done by somebody else", async () => {
    expect(await bench.consume(["nonsense", { endpointId: crypto.randomUUID() }])).toEqual(["ack", "ack"]);
    expect(bench.lines).toMatchObject([{ level: "error", message: "unreadable event message dropped" }]);
  });

  it("lets one run at a time have an endpoint", async () => {
    const endpoint = await bench.makeEndpoint();
    await bench.emit();
    await bench.runCron();
    const message = { endpointId: endpoint.id };
    await Promise.all([bench.consume([message, message]), bench.consume([message])]);
    expect(endpoint.received).toHaveLength(1);
  });
});
