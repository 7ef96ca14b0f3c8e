/** Asking a provider instead of waiting for it: provider `standard` against the real sandbox, and against ones in trouble. */
import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { startSandboxProvider } from "#dev/sandbox-provider/start-sandbox-provider";
import { generateWebhookSecret } from "#dev/secrets";
import type { ActionablePaymentEvent } from "#payments/payment-provider";
import { StandardProvider } from "#payments/standard-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

interface World {
  readonly url: string;
  readonly provider: StandardProvider;
  /** What the service answers to webhooks; 200 at first. */
  status: number;
  /** Ids of the deliveries that came, with what they said. */
  readonly heard: { readonly id: string; readonly type: string; readonly data: Record<string, unknown> }[];
}

function createProvider(baseUrl: string, breakers = new CircuitBreakers()): StandardProvider {
  return new StandardProvider({ baseUrl, webhookSecrets: [generateWebhookSecret()], breakers });
}

/** The sandbox, and a service that hears its events or does not. */
async function startWorld(options: { giveUpAfterMs?: number; undeliveredAfterMs?: number } = {}): Promise<World> {
  const heard: World["heard"] = [];
  const service = await serveApp(async (request) => {
    if (world.status === 200) {
      const { type, data } = (await request.json()) as World["heard"][number];
      heard.push({ id: request.headers.get("webhook-id") ?? "", type, data });
    }
    return new Response(null, { status: world.status });
  }, 0);
  const secret = generateWebhookSecret();
  const sandbox = await startSandboxProvider({ port: 0, webhookUrl: service.url, webhookSecret: secret, ...options });
  running.push(sandbox, service);
  const world: World = { url: sandbox.url, provider: createProvider(sandbox.url), status: 200, heard };
  return world;
}

async function pay(world: World, ...actions: string[]): Promise<{ paymentId: string; orderId: string }> {
  const orderId = randomUUID();
  const request = {
    orderId,
    tenantId: randomUUID(),
    amountCents: 4200,
    currency: "EUR",
    description: "2 × Balcony",
    expiresAtMs: Date.now(),
  };
  const made = await world.provider.createPayment(request, orderId);
  if (!made.ok) throw new Error(made.failure.reason);
  const { paymentId } = made.value;
  for (const action of actions) await fetch(`${world.url}/payments/${paymentId}/${action}`, { method: "POST" });
  return { paymentId, orderId };
}

const known = (paymentId: string, status: string, amountCents = 4200): unknown => ({
  ok: true,
  value: { paymentId, status, amountCents, currency: "EUR" },
});

describe("a payment that nobody told us of can be asked for", () => {
  test.each([
    [[], "open", 4200],
    [["succeed"], "succeeded", 4200],
    [["succeed?amountCents=1"], "succeeded", 1],
    [["fail"], "failed", 4200],
    [["cancel"], "canceled", 4200],
  ])("after %j it is %s over %i", async (actions, status, amountCents) => {
    const world = await startWorld();
    const { paymentId } = await pay(world, ...actions);
    expect(await world.provider.findPayment(paymentId)).toEqual(known(paymentId, status, amountCents));
  });

  test("one that the provider does not know is undefined, not an outage", async () => {
    const { provider } = await startWorld();
    for (const id of ["pay_none", "../refunds", "?"]) {
      expect(await provider.findPayment(id)).toEqual({ ok: true, value: undefined });
      expect(await provider.cancelPayment(id)).toEqual({ ok: true, value: undefined });
    }
  });
});

describe("a refund that nobody told the end of can be asked for", () => {
  test.each([
    ["", 4200, "submitted", "succeeded"],
    ["?refundsFail=1", 4200, "submitted", "failed"],
    ["", 4201, "failed", "failed"],
  ])("with trouble %j and over %i it is %s at first, %s then", async (trouble, amountCents, first, then) => {
    const world = await startWorld();
    const { paymentId, orderId } = await pay(world, "succeed");
    await fetch(`${world.url}/trouble${trouble}`, { method: "POST" });
    const request = { paymentId, orderId, amountCents, currency: "EUR", reason: "requested" };
    const made = await world.provider.requestRefund(request, randomUUID());
    expect(made).toMatchObject({ ok: true, value: { status: first } });
    const refundId = made.ok ? made.value.refundId : "";
    expect(await world.provider.findRefund(refundId)).toEqual({ ok: true, value: { refundId, status: then } });
  });

  test("one that the provider does not know is undefined, not an outage", async () => {
    const { provider } = await startWorld();
    for (const id of ["ref_none", "../payments", "?"]) {
      expect(await provider.findRefund(id)).toEqual({ ok: true, value: undefined });
    }
  });
});

describe("an open payment can be ended", () => {
  test.each([[[]], [["fail"]]])("after %j, and takes no money from then on", async (actions) => {
    const world = await startWorld();
    const { paymentId } = await pay(world, ...actions);
    for (let call = 0; call < 2; call += 1) {
      expect(await world.provider.cancelPayment(paymentId)).toEqual(known(paymentId, "canceled"));
    }
    const paid = await fetch(`${world.url}/payments/${paymentId}/succeed`, { method: "POST" });
    expect(paid.status).toBe(409);
  });

  test("but not one that was paid meanwhile: the caller learns of the money", async () => {
    const world = await startWorld();
    const { paymentId } = await pay(world, "succeed");
    expect(await world.provider.cancelPayment(paymentId)).toEqual(known(paymentId, "succeeded"));
  });
});

describe("events that never arrived can be fetched", () => {
  test("with the id that a later delivery has, so that it is a duplicate then", async () => {
    const world = await startWorld({ undeliveredAfterMs: 0 });
    world.status = 503;
    const { paymentId, orderId } = await pay(world, "succeed");
    const listed = await vi.waitFor(async () => {
      const events = await world.provider.listUndeliveredEvents(Date.now() - 60_000, 10);
      if (!events.ok || events.value.length === 0) throw new Error("nothing yet");
      return events.value;
    });
    expect(listed).toMatchObject([{ type: "payment.succeeded", paymentId, orderId, amountCents: 4200, currency: "EUR" }]);
    world.status = 200;
    await vi.waitFor(() => expect(world.heard.map(({ id }) => id)).toEqual(listed.map(({ eventId }) => eventId)), {
      timeout: 10_000,
    });
    expect(await world.provider.listUndeliveredEvents(0, 10)).toEqual({ ok: true, value: [] });
  });

  test("also when the provider has given them up, but none that is only under way, delivered or too old", async () => {
    const world = await startWorld({ giveUpAfterMs: 1 });
    await pay(world, "succeed", "dispute?delayMs=60000");
    await vi.waitFor(() => expect(world.heard).toHaveLength(1));
    world.status = 503;
    await pay(world, "succeed");
    await vi.waitFor(async () => {
      expect(await world.provider.listUndeliveredEvents(0, 10)).toMatchObject({ value: [{ type: "payment.succeeded" }] });
    });
    expect(await world.provider.listUndeliveredEvents(Date.now() + 1_000, 10)).toEqual({ ok: true, value: [] });
  });

  test("oldest first over many pages, and never more than were asked for", async () => {
    const world = await startWorld({ giveUpAfterMs: 1 });
    world.status = 503;
    const orderIds: string[] = [];
    for (let payment = 0; payment < 105; payment += 1) orderIds.push((await pay(world, "succeed")).orderId);
    const list = async (limit: number): Promise<unknown[]> => {
      const events = await world.provider.listUndeliveredEvents(0, limit);
      return events.ok ? events.value.map((event) => (event as ActionablePaymentEvent).orderId) : [];
    };
    await vi.waitFor(async () => expect(await list(1_000)).toEqual(orderIds), { timeout: 10_000 });
    expect(await list(101)).toEqual(orderIds.slice(0, 101));
    expect(await list(3)).toEqual(orderIds.slice(0, 3));
  });

  test("and one that cannot be read keeps none of the others back", async () => {
    const data = { paymentId: "p", orderId: randomUUID(), amountCents: 1, currency: "EUR" };
    const event = { id: "evt_good", type: "payment.succeeded", timestamp: "2026-05-01T12:00:00Z", data };
    const items = [{ ...event, id: "evt_bad", data: {} }, event, { ...event, id: "evt_new", type: "payment.thanked" }];
    const server = await serveApp(() => Response.json({ items, nextCursor: null }), 0);
    running.push(server);
    const events = await createProvider(server.url).listUndeliveredEvents(0, 10);
    expect(events).toMatchObject({ ok: true, value: [{ eventId: "evt_good" }, { eventId: "evt_new", type: "ignored" }] });
  });

  test("from a provider that always has another page there is an end to it", async () => {
    let pages = 0;
    const server = await serveApp(() => {
      pages += 1;
      return Response.json({ items: [], nextCursor: "more" });
    }, 0);
    running.push(server);
    expect(await createProvider(server.url).listUndeliveredEvents(0, 500)).toEqual({ ok: true, value: [] });
    expect(pages).toBe(5);
  });
});

test("a provider that is down is a refusal, whatever it is asked, and is left alone after five failures", async () => {
  let calls = 0;
  const server = await serveApp(() => {
    calls += 1;
    return new Response(null, { status: 500 });
  }, 0);
  running.push(server);
  const provider = createProvider(server.url);
  const down = (reason: string): unknown => ({ ok: false, failure: expect.objectContaining({ reason }) });
  expect(await provider.findPayment("p")).toEqual(down("server_error"));
  expect(await provider.cancelPayment("p")).toEqual(down("server_error"));
  for (let ask = 0; ask < 3; ask += 1) expect(await provider.listUndeliveredEvents(0, 1)).toEqual(down("server_error"));
  const before = calls;
  expect(await provider.findPayment("p")).toEqual(down("circuit_open"));
  expect(calls).toBe(before);
});

describe("the sandbox names what its events are about", () => {
  test("a refund by the key it was asked for with, a dispute by one id from its opening to its end", async () => {
    const world = await startWorld();
    const { paymentId, orderId } = await pay(world, "succeed", "dispute", "dispute?outcome=won");
    const refund = { paymentId, orderId, amountCents: 100, currency: "EUR", reason: "requested" };
    await world.provider.requestRefund(refund, "our-refund");
    await vi.waitFor(() => expect(world.heard).toHaveLength(4));
    const byType = new Map(world.heard.map(({ type, data }) => [type, data]));
    expect(byType.get("refund.succeeded")).toMatchObject({ refundId: "our-refund" });
    expect(byType.get("dispute.opened")?.["disputeId"]).toMatch(/^dsp_/);
    expect(byType.get("dispute.won")?.["disputeId"]).toBe(byType.get("dispute.opened")?.["disputeId"]);
  });

  test("refunds can be down for some calls, and can fail after they were taken", async () => {
    const world = await startWorld();
    const { paymentId, orderId } = await pay(world, "succeed");
    const refund = { paymentId, orderId, amountCents: 4200, currency: "EUR", reason: "requested" };
    await fetch(`${world.url}/trouble?refundsDown=2&refundsFail=1`, { method: "POST" });
    expect(await world.provider.requestRefund(refund, "r1")).toMatchObject({ ok: false });
    expect(await world.provider.requestRefund(refund, "r1")).toMatchObject({ ok: true, value: { status: "submitted" } });
    await vi.waitFor(() => expect(world.heard.map(({ type }) => type)).toContain("refund.failed"));
    // Its money is there again, for another refund.
    expect(await world.provider.requestRefund(refund, "r2")).toMatchObject({ ok: true, value: { status: "submitted" } });
    await vi.waitFor(() => expect(world.heard.map(({ type }) => type)).toContain("refund.succeeded"));
  });
});
