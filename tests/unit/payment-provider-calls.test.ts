import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { startSandboxProvider } from "#dev/sandbox-provider/start-sandbox-provider";
import { generateWebhookSecret } from "#dev/secrets";
import { selectPaymentProvider, type PaymentRequest } from "#payments/payment-provider";
import { StandardProvider } from "#payments/standard-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";
import { providerDown } from "../support/node/provider-down.ts";

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

function createProvider(baseUrl: string, timeoutMs = 5000, breakers = new CircuitBreakers()): StandardProvider {
  return new StandardProvider({ baseUrl, webhookSecrets: [generateWebhookSecret()], breakers, timeoutMs });
}

/** A provider at the other end that answers as told, and counts the calls. */
async function startFake(answer: (call: number) => Response | Promise<Response>): Promise<{ url: string; keys: string[] }> {
  const keys: string[] = [];
  const server = await serveApp((request) => {
    keys.push(request.headers.get("idempotency-key") ?? "");
    return answer(keys.length);
  }, 0);
  running.push(server);
  return { url: server.url, keys };
}

/** The real sandbox; nobody listens to its events. */
async function startSandbox(): Promise<string> {
  const { url } = await startFake(() => new Response());
  const sandbox = await startSandboxProvider({ port: 0, webhookUrl: url, webhookSecret: generateWebhookSecret() });
  running.push(sandbox);
  return sandbox.url;
}

function requestFor(orderId: string): PaymentRequest {
  return {
    orderId,
    tenantId: randomUUID(),
    amountCents: 4200,
    currency: "EUR",
    description: "2 × Balcony",
    expiresAtMs: 1_777_636_800_000,
  };
}

const paymentAnswer = { id: "pay_1", status: "requires_action", checkoutUrl: "http://payments.test/checkout/pay_1" };

describe("a payment is created once", () => {
  test("gives the buyer the address of the checkout", async () => {
    const provider = createProvider(`${await startSandbox()}/`);
    const result = await provider.createPayment(requestFor(randomUUID()), "key-1");
    expect(result).toEqual({
      ok: true,
      value: {
        provider: "standard",
        paymentId: expect.stringMatching(/^pay_/),
        status: "REQUIRES_ACTION",
        action: { type: "redirect", url: expect.stringMatching(/^http.*\/checkout\/pay_/) },
      },
    });
  });

  test("finds the same payment when the step is taken again with the order id as key", async () => {
    const provider = createProvider(await startSandbox());
    const orderId = randomUUID();
    const first = await provider.createPayment(requestFor(orderId), orderId);
    expect(first.ok).toBe(true);
    expect(await provider.createPayment(requestFor(orderId), orderId)).toEqual(first);
  });

  test("asks for nothing more when the payment is made already", async () => {
    const { url } = await startFake(() => Response.json({ ...paymentAnswer, status: "succeeded" }));
    const result = await createProvider(url).createPayment(requestFor(randomUUID()), "key-1");
    expect(result).toMatchObject({ ok: true, value: { status: "SUCCEEDED", action: { type: "none" } } });
  });

  test("tries once more after a 5xx, under the same key", async () => {
    const { url, keys } = await startFake((call) =>
      call === 1 ? new Response(null, { status: 503 }) : Response.json(paymentAnswer, { status: 201 }),
    );
    const result = await createProvider(url).createPayment(requestFor(randomUUID()), "key-1");
    expect(result.ok).toBe(true);
    expect(keys).toEqual(["key-1", "key-1"]);
  });
});

describe("a refund is asked for once", () => {
  test("gives back one refund however often the step is taken", async () => {
    const url = await startSandbox();
    const provider = createProvider(url);
    const orderId = randomUUID();
    const payment = await provider.createPayment(requestFor(orderId), orderId);
    const paymentId = payment.ok ? payment.value.paymentId : "";
    await fetch(`${url}/payments/${paymentId}/succeed`, { method: "POST" });
    const refund = { paymentId, orderId, amountCents: 4200, currency: "EUR", reason: "sold_out_after_expiry" };
    const first = await provider.requestRefund(refund, "refund-1");
    expect(first).toMatchObject({ ok: true, value: { status: "submitted" } });
    expect(await provider.requestRefund(refund, "refund-1")).toEqual(first);
    const { items } = (await (await fetch(`${url}/refunds`)).json()) as { items: unknown[] };
    expect(items).toHaveLength(1);
  });

  test("reports a refund that the provider can't make as failed", async () => {
    const url = await startSandbox();
    const provider = createProvider(url);
    const orderId = randomUUID();
    const payment = await provider.createPayment(requestFor(orderId), orderId);
    const paymentId = payment.ok ? payment.value.paymentId : "";
    const refund = { paymentId, orderId, amountCents: 4200, currency: "EUR", reason: "amount_mismatch" };
    expect(await provider.requestRefund(refund, "refund-1")).toMatchObject({ ok: true, value: { status: "failed" } });
  });
});

describe("a provider in trouble is a refusal with a time to come back, never an exception", () => {
  const create = (provider: StandardProvider): Promise<unknown> => provider.createPayment(requestFor(randomUUID()), "key-1");

  test("when nothing listens there", async () => {
    const server = await serveApp(() => new Response(), 0);
    await server.close();
    expect(await create(createProvider(server.url))).toEqual(providerDown("unreachable"));
  });

  test("when it does not answer in time; it is not called a second time", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { url, keys } = await startFake(() => promise);
    // Long enough for the call to reach the provider on a busy machine.
    expect(await create(createProvider(url, 2_000))).toEqual(providerDown("timeout"));
    expect(keys).toHaveLength(1);
    resolve(new Response());
  });

  test("when it keeps answering 500", async () => {
    const { url, keys } = await startFake(() => new Response("oops", { status: 500 }));
    expect(await create(createProvider(url))).toEqual(providerDown("server_error", 500));
    expect(keys).toHaveLength(2);
  });

  test.each([400, 409, 302])("when it refuses our request with %i, which is not repeated", async (status) => {
    const { url, keys } = await startFake(() => new Response(null, { status, headers: { location: "/elsewhere" } }));
    expect(await create(createProvider(url))).toEqual(providerDown("refused", status));
    expect(keys).toHaveLength(1);
  });

  test.each([
    ["text", () => new Response("hello")],
    ["an empty object", () => Response.json({})],
    ["a checkout address that is a script", () => Response.json({ ...paymentAnswer, checkoutUrl: "javascript:alert(1)" })],
    ["an unknown status", () => Response.json({ ...paymentAnswer, status: "maybe" })],
  ])("when it answers %s", async (_name, answer) => {
    const { url } = await startFake(answer);
    expect(await create(createProvider(url))).toEqual(providerDown("unreadable_answer", 200));
  });

  test("stops calling it after five failures, for payments and refunds alike", async () => {
    const { url, keys } = await startFake(() => new Response(null, { status: 500 }));
    const provider = createProvider(url, 5000, new CircuitBreakers({ openForMs: 30_000 }));
    for (let attempt = 0; attempt < 5; attempt += 1) await create(provider);
    const callsBefore = keys.length;
    const refund = { paymentId: "pay_1", orderId: randomUUID(), amountCents: 1, currency: "EUR", reason: "late" };
    const expected = { code: "payment_provider_down", reason: "circuit_open", retryAfterSeconds: 30 };
    expect(await provider.requestRefund(refund, "r1")).toEqual({ ok: false, failure: expected });
    expect(keys).toHaveLength(callsBefore);
  });

  test("goes on calling it after requests of ours that it refused", async () => {
    const { url, keys } = await startFake(() => new Response(null, { status: 422 }));
    const provider = createProvider(url);
    for (let attempt = 0; attempt < 8; attempt += 1) await create(provider);
    expect(keys).toHaveLength(8);
  });
});

describe("a provider is chosen by name", () => {
  test("finds the one that is configured and refuses the others", () => {
    const standard = createProvider("http://payments.test");
    expect(selectPaymentProvider({ standard }, "standard")).toEqual({ ok: true, value: standard });
    for (const name of ["stripe", "", "constructor", "__proto__"]) {
      const result = selectPaymentProvider({ standard }, name);
      expect(result).toEqual({ ok: false, failure: { code: "payment_provider_unavailable" } });
    }
  });
});
