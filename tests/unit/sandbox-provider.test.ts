import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { serveApp, type RunningServer } from "#dev/sandbox-provider/serve-app";
import { startSandboxProvider } from "#dev/sandbox-provider/start-sandbox-provider";
import { generateWebhookSecret } from "#dev/secrets";
import { verifyStandardWebhook } from "#payments/standard-webhook";

interface Delivery {
  readonly webhookId: string;
  readonly isGenuine: boolean;
  readonly event: { type: string; data: { amountCents: number; currency: string; orderId: string; reason?: string } };
}

interface Payment {
  readonly id: string;
  readonly status: string;
}

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

/** The sandbox, and a receiver that verifies and records what it is sent. `statuses` are its first answers, then 200. */
async function startPair(statuses: number[] = [], heldBackMs = 60_000): Promise<{ url: string; deliveries: Delivery[] }> {
  const secret = generateWebhookSecret();
  const deliveries: Delivery[] = [];
  const receiver = await serveApp(async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    deliveries.push({
      webhookId: request.headers.get("webhook-id") ?? "",
      isGenuine: verifyStandardWebhook([secret], body, request.headers, Date.now()).ok,
      event: JSON.parse(new TextDecoder().decode(body)),
    });
    return new Response(null, { status: statuses.shift() ?? 200, headers: { location: "/elsewhere" } });
  }, 0);
  const sandbox = await startSandboxProvider({
    port: 0,
    webhookUrl: receiver.url,
    webhookSecret: secret,
    heldBackMs,
  });
  running.push(sandbox, receiver);
  return { url: sandbox.url, deliveries };
}

function post(url: string, body?: unknown, key?: string): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : { "idempotency-key": key }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function createPayment(url: string, change: Record<string, unknown> = {}): Promise<Payment & { orderId: string }> {
  const orderId = randomUUID();
  const order = { orderId, amountCents: 4200, currency: "EUR", description: "2 × Balcony", ...change };
  const response = await post(`${url}/payments`, order, orderId);
  expect(response.status).toBe(201);
  return (await response.json()) as Payment & { orderId: string };
}

async function findPayment(url: string, id: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/payments/${id}`)).json()) as Record<string, unknown>;
}

const typesOf = (deliveries: Delivery[]): string[] => deliveries.map((delivery) => delivery.event.type);

async function waitForDeliveries(deliveries: Delivery[], count: number): Promise<void> {
  await vi.waitFor(() => expect(deliveries.length).toBeGreaterThanOrEqual(count), { timeout: 10_000, interval: 20 });
}

/** Waits until the sandbox itself counts every delivery of every event as taken. */
async function waitUntilAllDelivered(url: string): Promise<{ attempts: number; lastStatus: number }[]> {
  return vi.waitFor(
    async () => {
      const { items } = (await (await fetch(`${url}/events`)).json()) as {
        items: { state: string; attempts: number; lastStatus: number }[];
      };
      expect(items.length).toBeGreaterThan(0);
      expect(items.every((item) => item.state === "delivered")).toBe(true);
      return items;
    },
    { timeout: 10_000, interval: 20 },
  );
}

describe("a payment is made once and told until it is heard", () => {
  test("tells the service of a payment with a signed event that names order, sum and currency", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    const response = await post(`${url}/payments/${payment.id}/succeed`);
    expect(response.status).toBe(202);
    const { eventIds } = (await response.json()) as { eventIds: string[] };
    await waitForDeliveries(deliveries, 1);
    expect(deliveries).toEqual([
      {
        webhookId: eventIds[0],
        isGenuine: true,
        event: {
          type: "payment.succeeded",
          timestamp: expect.stringMatching(/Z$/),
          data: { paymentId: payment.id, orderId: payment.orderId, amountCents: 4200, currency: "EUR" },
        },
      },
    ]);
  });

  test("gives the same payment for the same key, and refuses the key with another body", async () => {
    const { url } = await startPair();
    const order = { orderId: randomUUID(), amountCents: 100, currency: "EUR" };
    const [first, again] = [await post(`${url}/payments`, order, "k1"), await post(`${url}/payments`, order, "k1")];
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(await again.json()).toEqual(await first.json());
    expect((await post(`${url}/payments`, { ...order, amountCents: 101 }, "k1")).status).toBe(409);
    expect((await post(`${url}/payments`, order)).status).toBe(400);
  });

  test("repeats an event, signed anew under the same id, until the service answers 2xx", async () => {
    const { url, deliveries } = await startPair([500, 302, 429]);
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/succeed`);
    expect(await waitUntilAllDelivered(url)).toMatchObject([{ attempts: 4, lastStatus: 200 }]);
    expect(deliveries).toHaveLength(4);
    expect(new Set(deliveries.map((delivery) => delivery.webhookId)).size).toBe(1);
    expect(deliveries.every((delivery) => delivery.isGenuine)).toBe(true);
  });

  test("keeps an event for a service that is not up yet", async () => {
    const closed = await serveApp(() => new Response(), 0);
    await closed.close();
    const sandbox = await startSandboxProvider({ port: 0, webhookUrl: closed.url, webhookSecret: generateWebhookSecret() });
    running.push(sandbox);
    const payment = await createPayment(sandbox.url);
    await post(`${sandbox.url}/payments/${payment.id}/succeed`);
    await vi.waitFor(async () => {
      const { items } = (await (await fetch(`${sandbox.url}/events`)).json()) as { items: { attempts: number }[] };
      expect(items[0]?.attempts).toBeGreaterThan(0);
    });
    const service: RunningServer = await serveApp(() => new Response(), Number(new URL(closed.url).port));
    running.push(service);
    expect(await waitUntilAllDelivered(sandbox.url)).toHaveLength(1);
  });

  test("never takes money twice for one payment, however often Pay is pressed", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    const answers = await Promise.all([1, 2, 3].map(() => post(`${url}/payments/${payment.id}/succeed`)));
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { eventIds: string[] }).eventIds));
    expect(new Set(ids.flat()).size).toBe(1);
    await waitUntilAllDelivered(url);
    expect(deliveries).toHaveLength(1);
  });

  test.each([
    ["fail", "payment.failed", "failed"],
    ["cancel", "payment.canceled", "canceled"],
  ])("tells of %s", async (action, type, status) => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/${action}`);
    await waitForDeliveries(deliveries, 1);
    expect(typesOf(deliveries)).toEqual([type]);
    expect(await findPayment(url, payment.id)).toMatchObject({ status, paidAmountCents: null });
  });

  test("opens a dispute only on money that was taken, and settles it once", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    const dispute = `${url}/payments/${payment.id}/dispute`;
    expect((await post(dispute)).status).toBe(409);
    await post(`${url}/payments/${payment.id}/succeed`);
    expect((await post(`${dispute}?outcome=won`)).status).toBe(409);
    expect((await post(dispute)).status).toBe(202);
    expect((await post(`${dispute}?outcome=lost`)).status).toBe(202);
    expect((await post(`${dispute}?outcome=won`)).status).toBe(409);
    await waitForDeliveries(deliveries, 3);
    expect(new Set(typesOf(deliveries))).toEqual(new Set(["payment.succeeded", "dispute.opened", "dispute.lost"]));
  });
});

describe("refunds", () => {
  test("gives money back once per key, and never more than was taken", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/succeed`);
    const refund = { paymentId: payment.id, orderId: payment.orderId, amountCents: 3000, currency: "EUR", reason: "late" };
    const [first, again] = [await post(`${url}/refunds`, refund, "r1"), await post(`${url}/refunds`, refund, "r1")];
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(await again.json()).toEqual(await first.json());
    expect((await post(`${url}/refunds`, { ...refund, amountCents: 1 }, "r1")).status).toBe(409);
    expect(await (await post(`${url}/refunds`, refund, "r2")).json()).toMatchObject({ status: "failed" });
    await waitForDeliveries(deliveries, 3);
    expect(typesOf(deliveries).toSorted()).toEqual(["payment.succeeded", "refund.failed", "refund.succeeded"]);
    expect(await findPayment(url, payment.id)).toMatchObject({ refundedCents: 3000 });
  });

  test("refuses to refund a payment it does not know", async () => {
    const { url } = await startPair();
    const refund = { paymentId: "pay_none", orderId: randomUUID(), amountCents: 1, currency: "EUR", reason: "late" };
    expect((await post(`${url}/refunds`, refund, "r1")).status).toBe(404);
  });
});

describe("trouble that is asked for really happens", () => {
  test("duplicates=3 delivers one event four times under one id", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/succeed?duplicates=3`);
    await waitUntilAllDelivered(url);
    expect(deliveries).toHaveLength(4);
    expect(new Set(deliveries.map((delivery) => delivery.webhookId)).size).toBe(1);
  });

  test("amountCents=N takes and tells another sum, currency=XXX another currency", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/succeed?amountCents=1&currency=USD`);
    await waitForDeliveries(deliveries, 1);
    expect(deliveries[0]?.event.data).toMatchObject({ amountCents: 1, currency: "USD" });
    expect(await findPayment(url, payment.id)).toMatchObject({ amountCents: 4200, paidAmountCents: 1 });
  });

  test("reorder=1 lets a later event of the payment arrive first", async () => {
    const { url, deliveries } = await startPair();
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/fail?reorder=1`);
    await post(`${url}/payments/${payment.id}/succeed`);
    await waitForDeliveries(deliveries, 2);
    expect(typesOf(deliveries)).toEqual(["payment.succeeded", "payment.failed"]);
  });

  test("reorder=1 does not lose an event that no later one follows", async () => {
    const { url, deliveries } = await startPair([], 50);
    const payment = await createPayment(url);
    await post(`${url}/payments/${payment.id}/succeed?reorder=1`);
    await waitForDeliveries(deliveries, 1);
    expect(typesOf(deliveries)).toEqual(["payment.succeeded"]);
  });

  test("delayMs=N lets other payments overtake", async () => {
    const { url, deliveries } = await startPair();
    const [slow, fast] = [await createPayment(url), await createPayment(url)];
    await post(`${url}/payments/${slow.id}/succeed?delayMs=1000`);
    await post(`${url}/payments/${fast.id}/succeed`);
    await waitForDeliveries(deliveries, 2);
    expect(deliveries.map((delivery) => delivery.event.data.orderId)).toEqual([fast.orderId, slow.orderId]);
  });

  test.each(["duplicates=-1", "duplicates=many", "delayMs=1.5", "reorder=yes", "speed=1"])("refuses %s", async (query) => {
    const { url } = await startPair();
    const payment = await createPayment(url);
    expect((await post(`${url}/payments/${payment.id}/succeed?${query}`)).status).toBe(400);
    expect(await findPayment(url, payment.id)).toMatchObject({ status: "requires_action" });
  });
});

test("refuses a body over 64 KiB with 413", async () => {
  const { url } = await startPair();
  expect((await post(`${url}/payments`, { description: "x".repeat(70_000) }, "k")).status).toBe(413);
});
