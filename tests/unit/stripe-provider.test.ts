import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { generateStripeSecretKey, generateWebhookSecret } from "#dev/secrets";
import { StripeProvider } from "#payments/stripe-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";
import { refundOf, requestFor, startStripeWorld, type StripeWorld } from "../support/node/stripe-world.ts";

const DAY_MS = 24 * 3_600_000;

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function startWorld(change: Parameters<typeof startStripeWorld>[0] = {}): Promise<StripeWorld> {
  const world = await startStripeWorld(change);
  running.push(world);
  return world;
}

function createProvider(apiBase: string, timeoutMs = 5000, breakers = new CircuitBreakers()): StripeProvider {
  const webhookSecrets = [generateWebhookSecret()];
  return new StripeProvider({ secretKey: generateStripeSecretKey(), apiBase, webhookSecrets, breakers, timeoutMs });
}

/** A Stripe at the other end that answers as told, and remembers what it was asked. */
async function startStub(
  answer: (call: number) => Response | Promise<Response>,
): Promise<{ url: string; requests: { key: string; path: string; headers: Headers; body: string }[] }> {
  const requests: { key: string; path: string; headers: Headers; body: string }[] = [];
  const server = await serveApp(async (request) => {
    const { headers } = request;
    const path = new URL(request.url).pathname;
    requests.push({ key: headers.get("idempotency-key") ?? "", path, headers, body: await request.text() });
    return answer(requests.length);
  }, 0);
  running.push(server);
  return { url: server.url, requests };
}

async function listRefunds(world: StripeWorld, paymentId: string): Promise<{ amount: number; metadata: object }[]> {
  const { body } = await world.call("GET", `/v1/refunds?payment_intent=${paymentId}`);
  return body["data"] as { amount: number; metadata: object }[]; // Stripe's list
}

const stripeError = (status: number, error: object): Response => Response.json({ error }, { status });

describe("a payment is created once", () => {
  test("gives the buyer's browser what it needs to pay, and tells Stripe whose order it is", async () => {
    const world = await startWorld();
    const request = requestFor();
    const created = await world.provider.createPayment(request, request.orderId);
    expect(created).toEqual({
      ok: true,
      value: {
        provider: "stripe",
        paymentId: expect.stringMatching(/^pi_/),
        status: "REQUIRES_ACTION",
        action: { type: "client_secret", clientSecret: expect.stringMatching(/^pi_.+_secret_.+/) },
      },
    });
    const id = created.ok ? created.value.paymentId : "";
    expect((await world.call("GET", `/v1/payment_intents/${id}`)).body).toMatchObject({
      amount: 4200,
      currency: "eur",
      automatic_payment_methods: { enabled: true },
      description: request.description,
      metadata: { order_id: request.orderId, tenant_id: request.tenantId },
    });
  });

  test("finds the same payment when the step is taken again with the order id as key", async () => {
    const { provider } = await startWorld();
    const request = requestFor();
    const first = await provider.createPayment(request, request.orderId);
    expect(first.ok).toBe(true);
    expect(await provider.createPayment(request, request.orderId)).toEqual(first);
  });

  test("asks as Stripe documents it: the pinned version, a form, our key, and nothing about the machine", async () => {
    const { url, requests } = await startStub(() => stripeError(402, { type: "card_error", message: "no" }));
    const request = requestFor();
    await createProvider(url).createPayment(request, request.orderId);
    const { key, path, headers, body } = requests[0] ?? { key: "", path: "", headers: new Headers(), body: "" };
    expect({ key, path }).toEqual({ key: request.orderId, path: "/v1/payment_intents" });
    expect(headers.get("stripe-version")).toBe("2026-10-28.endive");
    expect(headers.get("content-type")).toBe("application/x-www-form-urlencoded");
    expect(headers.get("x-stripe-client-telemetry")).toBeNull();
    expect(new URLSearchParams(body).get("automatic_payment_methods[enabled]")).toBe("true");
  });

  test("of an amount that Stripe cannot take exactly is refused without a call", async () => {
    const { url, requests } = await startStub(() => Response.json({}));
    const request = requestFor({ currency: "KWD", amountCents: 1234 });
    const refused = await createProvider(url).createPayment(request, request.orderId);
    expect(refused).toMatchObject({ ok: false, failure: { code: "payment_provider_down", reason: "refused" } });
    expect(requests).toEqual([]);
  });

  test.each([
    ["succeeded", "SUCCEEDED"],
    ["processing", "REQUIRES_ACTION"],
    ["canceled", "CANCELED"],
  ])("that is %s already asks nothing more of the buyer", async (status, ours) => {
    const intent = { id: "pi_1", status, amount: 4200, amount_received: 0, currency: "eur", client_secret: "pi_1_secret_2" };
    const { url } = await startStub(() => Response.json(intent));
    const created = await createProvider(url).createPayment(requestFor(), "key-1");
    expect(created).toMatchObject({ ok: true, value: { status: ours, action: { type: "none" } } });
  });
});

describe("money goes back once", () => {
  test("however often the step is taken, and carries our id and why", async () => {
    const world = await startWorld();
    const request = requestFor();
    const paymentId = await world.pay(request);
    const refundId = randomUUID();
    const first = await world.provider.requestRefund(refundOf(paymentId, request), refundId);
    expect(first).toEqual({ ok: true, value: { refundId: expect.stringMatching(/^re_/), status: "succeeded" } });
    expect(await world.provider.requestRefund(refundOf(paymentId, request), refundId)).toEqual(first);
    const { orderId } = request;
    const metadata = { order_id: orderId, refund_id: refundId, reason: "paid_twice" };
    expect(await listRefunds(world, paymentId)).toMatchObject([{ amount: 4200, metadata }]);
  });

  test("also when Stripe has forgotten the key by the time it is asked again", async () => {
    let nowMs = Date.now();
    const world = await startWorld({ readClockMs: () => nowMs });
    const request = requestFor();
    const paymentId = await world.pay(request);
    const part = { ...refundOf(paymentId, request), amountCents: 1000 };
    const refundId = randomUUID();
    const first = await world.provider.requestRefund(part, refundId);
    nowMs += 2 * DAY_MS;
    expect(await world.provider.requestRefund(part, refundId)).toEqual(first);
    expect(await listRefunds(world, paymentId)).toHaveLength(1);
  });

  test("would go back twice without the look at the refunds that were made", async () => {
    let nowMs = Date.now();
    const world = await startWorld({ readClockMs: () => nowMs });
    const paymentId = await world.pay(requestFor());
    const form = { payment_intent: paymentId, amount: "1000" };
    const key = { "idempotency-key": randomUUID() };
    await world.call("POST", "/v1/refunds", form, key);
    nowMs += 2 * DAY_MS;
    await world.call("POST", "/v1/refunds", form, key);
    expect(await listRefunds(world, paymentId)).toHaveLength(2);
  });

  test("two refunds of parts are two, each once", async () => {
    const world = await startWorld();
    const request = requestFor();
    const paymentId = await world.pay(request);
    const part = { ...refundOf(paymentId, request), amountCents: 2100 };
    const ids = [randomUUID(), randomUUID()];
    for (const id of [...ids, ...ids]) await world.provider.requestRefund(part, id);
    expect((await listRefunds(world, paymentId)).map(({ amount }) => amount)).toEqual([2100, 2100]);
  });

  test.each([
    ["pm_card_pendingRefund", "submitted"],
    ["pm_card_visa", "succeeded"],
  ])("of a payment with %s is %s at first", async (card, status) => {
    const world = await startWorld({ laterMs: 60_000 });
    const request = requestFor();
    const paymentId = await world.pay(request, card);
    const asked = await world.provider.requestRefund(refundOf(paymentId, request), randomUUID());
    expect(asked).toMatchObject({ ok: true, value: { status } });
  });

  test("or not at all when somebody sent it back in the dashboard: a person is told, and it does not go twice", async () => {
    const world = await startWorld();
    const request = requestFor();
    const paymentId = await world.pay(request);
    await world.call("POST", "/v1/refunds", { payment_intent: paymentId });
    const refundId = randomUUID();
    const asked = await world.provider.requestRefund(refundOf(paymentId, request), refundId);
    expect(asked).toEqual({ ok: true, value: { refundId, status: "failed" } });
  });

  test.each<[string, string, number]>([
    ["more than what is left", "pm_card_visa", 4300],
    ["a payment that the bank has taken back", "pm_card_createDispute", 4200],
  ])("of %s has failed for good", async (_, card, amountCents) => {
    const world = await startWorld();
    const request = requestFor();
    const paymentId = await world.pay(request, card);
    const asked = await world.provider.requestRefund({ ...refundOf(paymentId, request), amountCents }, randomUUID());
    expect(asked).toMatchObject({ ok: true, value: { status: "failed" } });
  });

  test.each<[string, number, object]>([
    ["a key that was used for something else", 400, { type: "idempotency_error", message: "same key" }],
    ["a secret key of another account", 404, { type: "invalid_request_error", code: "resource_missing", param: "payment_intent" }],
    ["a key without the permission", 403, { type: "invalid_request_error", message: "no" }],
    ["a wrong key", 401, { type: "invalid_request_error", message: "no" }],
    ["a payment still under way", 400, { type: "invalid_request_error", param: "payment_intent", message: "no charge" }],
  ])("is asked for again after %s, which somebody can put right", async (_, status, error) => {
    const { url } = await startStub((call) =>
      call === 1 ? Response.json({ object: "list", data: [], has_more: false, url: "/v1/refunds" }) : stripeError(status, error),
    );
    const request = requestFor();
    const asked = await createProvider(url).requestRefund(refundOf("pi_1", request), randomUUID());
    expect(asked).toMatchObject({ ok: false, failure: { reason: "refused", httpStatus: status } });
  });

  test("is not asked for while the earlier refunds cannot be read", async () => {
    const { url, requests } = await startStub(() => new Response("oops", { status: 500 }));
    const asked = await createProvider(url).requestRefund(refundOf("pi_1", requestFor()), randomUUID());
    expect(asked).toMatchObject({ ok: false, failure: { reason: "server_error", httpStatus: 500 } });
    expect(requests.map(({ path, body }) => `${path}${body}`)).toEqual(["/v1/refunds", "/v1/refunds"]);
  });
});

describe("Stripe is asked instead of waited for", () => {
  test("what became of a payment", async () => {
    const world = await startWorld();
    const request = requestFor();
    const paymentId = await world.pay(request);
    const value = { paymentId, status: "succeeded", amountCents: 4200, currency: "EUR" };
    expect(await world.provider.findPayment(paymentId)).toEqual({ ok: true, value });
    expect(await world.provider.findPayment("pi_none")).toEqual({ ok: true, value: undefined });
  });

  test("ends an open payment, so that no money can come; a paid one stays paid", async () => {
    const world = await startWorld();
    const { provider } = world;
    const open = await provider.createPayment(requestFor(), randomUUID());
    const openId = open.ok ? open.value.paymentId : "";
    for (let time = 0; time < 2; time += 1) {
      expect(await provider.cancelPayment(openId)).toMatchObject({ ok: true, value: { status: "canceled" } });
    }
    const late = await world.call("POST", `/v1/payment_intents/${openId}/confirm`, { payment_method: "pm_card_visa" });
    expect(late.status).toBe(400);
    const paidId = await world.pay(requestFor());
    expect(await provider.cancelPayment(paidId)).toMatchObject({ ok: true, value: { status: "succeeded" } });
    expect(await provider.cancelPayment("pi_none")).toEqual({ ok: true, value: undefined });
  });

  test("lists what it could not deliver, oldest first, and no more than is asked for", async () => {
    const nobody = await serveApp(() => new Response(), 0);
    await nobody.close();
    const world = await startWorld({ webhookUrl: nobody.url, firstRetryMs: 60_000 });
    const requests = [requestFor(), requestFor(), requestFor()];
    for (const request of requests) await world.pay(request);
    const sinceMs = Date.now() - DAY_MS;
    const listed = await world.provider.listUndeliveredEvents(sinceMs, 2);
    expect(listed).toMatchObject({
      ok: true,
      value: requests.slice(0, 2).map(({ orderId }) => ({ type: "payment.succeeded", orderId })),
    });
    expect(listed.ok && listed.value).toHaveLength(2);
    expect(await world.provider.listUndeliveredEvents(Date.now() + DAY_MS, 10)).toEqual({ ok: true, value: [] });
  });

  test("lists past a page of a hundred", async () => {
    const nobody = await serveApp(() => new Response(), 0);
    await nobody.close();
    const world = await startWorld({ webhookUrl: nobody.url, firstRetryMs: 60_000 });
    const { provider } = world;
    const made = await Promise.all(Array.from({ length: 120 }, () => provider.createPayment(requestFor(), randomUUID())));
    for (const each of made) if (each.ok) await provider.cancelPayment(each.value.paymentId);
    const listed = await provider.listUndeliveredEvents(Date.now() - DAY_MS, 500);
    expect(new Set(listed.ok ? listed.value.map(({ eventId }) => eventId) : [])).toHaveProperty("size", 120);
  });

  test("lists nothing that was delivered", async () => {
    const world = await startWorld();
    await world.pay(requestFor());
    await world.waitFor("payment_intent.succeeded");
    await expect
      .poll(() => world.provider.listUndeliveredEvents(Date.now() - DAY_MS, 10))
      .toEqual({ ok: true, value: [] });
  });
});

describe("a Stripe in trouble is a refusal with a time to come back, never an exception", () => {
  const create = (provider: StripeProvider): Promise<unknown> => provider.createPayment(requestFor(), "key-1");
  const down = (reason: string, httpStatus?: number): unknown => ({
    ok: false,
    failure: {
      ...{ code: "payment_provider_down", reason, retryAfterSeconds: expect.any(Number) },
      ...(httpStatus === undefined ? {} : { httpStatus }),
    },
  });

  test("when nothing listens there", async () => {
    const server = await serveApp(() => new Response(), 0);
    await server.close();
    expect(await create(createProvider(server.url))).toEqual(down("unreachable"));
  });

  test("when it does not answer in time; it is not called a second time", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { url, requests } = await startStub(() => promise);
    // Long enough for the call to reach it on a busy machine.
    expect(await create(createProvider(url, 2_000))).toEqual(down("timeout"));
    expect(requests).toHaveLength(1);
    resolve(new Response());
  });

  test.each([
    ["its own error", 500, () => stripeError(500, { type: "api_error", message: "sorry" })],
    ["a gateway's page", 503, () => new Response("<h1>no</h1>", { status: 503, headers: { "content-type": "text/html" } })],
    ["too many requests", 429, () => stripeError(429, { type: "invalid_request_error", code: "rate_limit" })],
  ])("when it keeps answering %s; it is asked twice under one key", async (_, status, answer) => {
    const { url, requests } = await startStub(answer);
    expect(await create(createProvider(url))).toEqual(down("server_error", status));
    expect(requests.map(({ key }) => key)).toEqual(["key-1", "key-1"]);
  });

  test("when another call under the same key is still under way; that says nothing against Stripe", async () => {
    const conflict = { type: "idempotency_error", code: "idempotency_key_in_use", message: "in use" };
    const { url, requests } = await startStub(() => stripeError(409, conflict));
    const provider = createProvider(url);
    for (let attempt = 0; attempt < 6; attempt += 1) expect(await create(provider)).toEqual(down("refused", 409));
    expect(requests).toHaveLength(12);
  });

  test.each([400, 401, 402, 403, 404])("when it refuses our request with %i, which is not repeated", async (status) => {
    const { url, requests } = await startStub(() => stripeError(status, { type: "invalid_request_error", message: "no" }));
    expect(await create(createProvider(url))).toEqual(down("refused", status));
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["text", () => new Response("hello")],
    ["an empty object", () => Response.json({})],
    ["null", () => Response.json(null)],
    ["a payment without an id", () => Response.json({ object: "payment_intent", status: "succeeded" })],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "/elsewhere" } })],
  ])("when it answers %s", async (name, answer) => {
    const { url } = await startStub(answer);
    const reason = name === "a redirect" ? down("refused", 302) : down("unreadable_answer");
    expect(await create(createProvider(url))).toEqual(reason);
  });

  test("stops calling it after five failures, for payments and refunds alike", async () => {
    const { url, requests } = await startStub(() => stripeError(500, { type: "api_error" }));
    const provider = createProvider(url, 5000, new CircuitBreakers({ openForMs: 30_000 }));
    for (let attempt = 0; attempt < 5; attempt += 1) await create(provider);
    const callsBefore = requests.length;
    const expected = { code: "payment_provider_down", reason: "circuit_open", retryAfterSeconds: 30 };
    const refused = await provider.requestRefund(refundOf("pi_1", requestFor()), "r1");
    expect(refused).toEqual({ ok: false, failure: expected });
    expect(requests).toHaveLength(callsBefore);
  });
});

describe("nothing secret is in what a caller may log", () => {
  test("neither keys nor client secrets are in a refusal", async () => {
    const secretKey = generateStripeSecretKey();
    const { url } = await startStub(() => stripeError(401, { type: "invalid_request_error", message: `Invalid: ${secretKey}` }));
    const options = { secretKey, apiBase: url, webhookSecrets: [generateWebhookSecret()], breakers: new CircuitBreakers() };
    const refused = await new StripeProvider(options).createPayment(requestFor(), "key-1");
    expect(JSON.stringify(refused)).not.toContain(secretKey);
  });
});
