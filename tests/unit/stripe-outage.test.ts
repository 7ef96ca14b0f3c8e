import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { generateStripeSecretKey, generateWebhookSecret } from "#dev/secrets";
import { StripeProvider } from "#payments/stripe-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";
import { createStripeProvider, startStripeStub, stripeError } from "../support/node/stripe-stub.ts";
import { refundOf, requestFor } from "../support/node/stripe-world.ts";
import { providerDown } from "../support/node/provider-down.ts";

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function startStub(answer: Parameters<typeof startStripeStub>[0]): ReturnType<typeof startStripeStub> {
  const stub = await startStripeStub(answer);
  running.push(stub);
  return stub;
}

describe("a Stripe in trouble is a refusal with a time to come back, never an exception", () => {
  const create = (provider: StripeProvider): Promise<unknown> => provider.createPayment(requestFor(), "key-1");

  test("when nothing listens there", async () => {
    const server = await serveApp(() => new Response(), 0);
    await server.close();
    expect(await create(createStripeProvider(server.url))).toEqual(providerDown("unreachable"));
  });

  test("when it does not answer in time; it is not called a second time", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { url, requests } = await startStub(() => promise);
    // Long enough for the call to reach it on a busy machine.
    expect(await create(createStripeProvider(url, 2_000))).toEqual(providerDown("timeout"));
    expect(requests).toHaveLength(1);
    resolve(new Response());
  });

  test.each([
    ["its own error", 500, () => stripeError(500, { type: "api_error", message: "sorry" })],
    ["a gateway's page", 503, () => new Response("<h1>no</h1>", { status: 503, headers: { "content-type": "text/html" } })],
    ["too many requests", 429, () => stripeError(429, { type: "invalid_request_error", code: "rate_limit" })],
  ])("when it keeps answering %s; it is asked twice under one key", async (_, status, answer) => {
    const { url, requests } = await startStub(answer);
    expect(await create(createStripeProvider(url))).toEqual(providerDown("server_error", status));
    expect(requests.map(({ key }) => key)).toEqual(["key-1", "key-1"]);
  });

  test("when another call under the same key is still under way; that says nothing against Stripe", async () => {
    const conflict = { type: "idempotency_error", code: "idempotency_key_in_use", message: "in use" };
    const { url, requests } = await startStub(() => stripeError(409, conflict));
    const provider = createStripeProvider(url);
    for (let attempt = 0; attempt < 6; attempt += 1) expect(await create(provider)).toEqual(providerDown("refused", 409));
    expect(requests).toHaveLength(12);
  });

  test.each([400, 401, 402, 403, 404])("when it refuses our request with %i, which is not repeated", async (status) => {
    const { url, requests } = await startStub(() => stripeError(status, { type: "invalid_request_error", message: "no" }));
    expect(await create(createStripeProvider(url))).toEqual(providerDown("refused", status));
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
    const reason = name === "a redirect" ? providerDown("refused", 302) : providerDown("unreadable_answer");
    expect(await create(createStripeProvider(url))).toEqual(reason);
  });

  test("stops calling it after five failures, for payments and refunds alike", async () => {
    const { url, requests } = await startStub(() => stripeError(500, { type: "api_error" }));
    const provider = createStripeProvider(url, 5000, new CircuitBreakers({ openForMs: 30_000 }));
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
    const { url } = await startStub(() =>
      stripeError(401, { type: "invalid_request_error", message: `Invalid: ${secretKey}` }),
    );
    const options = { secretKey, apiBase: url, webhookSecrets: [generateWebhookSecret()], breakers: new CircuitBreakers() };
    const refused = await new StripeProvider(options).createPayment(requestFor(), "key-1");
    expect(JSON.stringify(refused)).not.toContain(secretKey);
  });
});

/** The `page`th hundred of `count` undelivered events, newest first; event `n` is the `n`th newest. */
function pageOfEvents(page: number, count: number): Response {
  const first = (page - 1) * 100;
  const data = Array.from({ length: 100 }, (_, at) => ({
    id: `evt_${first + at}`,
    object: "event",
    type: "payment_intent.canceled",
    created: 1_900_000_000 - first - at,
    data: { object: { id: "pi_1", status: "canceled", amount: 1, amount_received: 0, currency: "eur", metadata: {} } },
  }));
  return Response.json({ object: "list", url: "/v1/events", has_more: first + 100 < count, data });
}

test("of thousands of events that could not be delivered the oldest are read first, so that none is passed over", async () => {
  const { url } = await startStub((call) => pageOfEvents(call, 2_500));
  const listed = await createStripeProvider(url).listUndeliveredEvents(0, 150);
  const ids = listed.ok ? listed.value.map(({ eventId }) => eventId) : [];
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([150, "evt_2499", "evt_2350"]);
});

const event = (id: string, type: string, object: object): object => ({
  id,
  object: "event",
  type,
  created: 1,
  data: { object },
});
const lost = (id: string): object =>
  event(id, "charge.dispute.closed", { id: "dp_1", status: "lost", amount: 1, currency: "eur", payment_intent: "pi_1" });

test("no payment is asked for because of an undelivered event that is known, and for no more than a hundred others", async () => {
  const data = Array.from({ length: 300 }, (_, at) => lost(`evt_${at}`)).toReversed();
  const { url, requests } = await startStub((call) =>
    call === 1
      ? Response.json({ object: "list", url: "/v1/events", has_more: false, data })
      : stripeError(404, { type: "invalid_request_error", code: "resource_missing", message: "no" }),
  );
  const known = new Set(Array.from({ length: 150 }, (_, at) => `evt_${at}`));
  const listed = await createStripeProvider(url).listUndeliveredEvents(0, 500, async () => known);
  const ids = listed.ok ? listed.value.map(({ eventId }) => eventId) : [];
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([250, "evt_0", "evt_249"]);
  expect(requests.length - 1).toBe(100);
});

test.each([
  ["is forbidden", () => stripeError(403, { type: "invalid_request_error", message: "no" })],
  ["cannot be read", () => Response.json({ object: "payment_intent" })],
])("an undelivered event whose payment %s does not hold up the others", async (_, answer) => {
  const metadata = { order_id: randomUUID(), tenant_id: randomUUID() };
  const intent = { id: "pi_2", status: "succeeded", amount: 1, amount_received: 1, currency: "eur", metadata };
  const data = [event("evt_2", "payment_intent.succeeded", intent), lost("evt_1")];
  const { url } = await startStub((call) =>
    call === 1 ? Response.json({ object: "list", url: "/v1/events", has_more: false, data }) : answer(),
  );
  expect(await createStripeProvider(url).listUndeliveredEvents(0, 10)).toMatchObject({
    ok: true,
    value: [{ type: "payment.succeeded", orderId: metadata.order_id }],
  });
});
