import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { createStripeProvider, startStripeStub, stripeError } from "../support/node/stripe-stub.ts";
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

async function startStub(answer: Parameters<typeof startStripeStub>[0]): ReturnType<typeof startStripeStub> {
  const stub = await startStripeStub(answer);
  running.push(stub);
  return stub;
}

async function listRefunds(world: StripeWorld, paymentId: string): Promise<{ amount: number; metadata: object }[]> {
  const { body } = await world.call("GET", `/v1/refunds?payment_intent=${paymentId}`);
  return body["data"] as { amount: number; metadata: object }[]; // Stripe's list
}

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
    await createStripeProvider(url).createPayment(request, request.orderId);
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
    const refused = await createStripeProvider(url).createPayment(request, request.orderId);
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
    const created = await createStripeProvider(url).createPayment(requestFor(), "key-1");
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
    [
      "a secret key of another account",
      404,
      { type: "invalid_request_error", code: "resource_missing", param: "payment_intent" },
    ],
    ["a key without the permission", 403, { type: "invalid_request_error", message: "no" }],
    ["a wrong key", 401, { type: "invalid_request_error", message: "no" }],
    ["a payment still under way", 400, { type: "invalid_request_error", param: "payment_intent", message: "no charge" }],
  ])("is asked for again after %s, which somebody can put right", async (_, status, error) => {
    const { url } = await startStub((call) =>
      call === 1
        ? Response.json({ object: "list", data: [], has_more: false, url: "/v1/refunds" })
        : stripeError(status, error),
    );
    const request = requestFor();
    const asked = await createStripeProvider(url).requestRefund(refundOf("pi_1", request), randomUUID());
    expect(asked).toMatchObject({ ok: false, failure: { reason: "refused", httpStatus: status } });
  });

  test("is not asked for while the earlier refunds cannot be read", async () => {
    const { url, requests } = await startStub(() => new Response("oops", { status: 500 }));
    const asked = await createStripeProvider(url).requestRefund(refundOf("pi_1", requestFor()), randomUUID());
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

  test("what became of a refund", async () => {
    const world = await startWorld({ laterMs: 60_000 });
    for (const [card, status] of [
      ["pm_card_pendingRefund", "submitted"],
      ["pm_card_visa", "succeeded"],
    ] as const) {
      const request = requestFor();
      const made = await world.provider.requestRefund(refundOf(await world.pay(request, card), request), randomUUID());
      const refundId = made.ok ? made.value.refundId : "";
      expect(await world.provider.findRefund(refundId)).toEqual({ ok: true, value: { refundId, status } });
    }
    expect(await world.provider.findRefund("re_none")).toEqual({ ok: true, value: undefined });
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
    await expect.poll(() => world.provider.listUndeliveredEvents(Date.now() - DAY_MS, 10)).toEqual({ ok: true, value: [] });
  });
});
