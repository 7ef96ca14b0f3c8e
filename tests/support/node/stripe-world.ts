/** A fake Stripe, a receiver of its events, and the provider that talks to it. */
import { randomUUID } from "node:crypto";
import { vi } from "vitest";
import { startFakeStripe, type FakeStripeOptions } from "#dev/fake-stripe/start-fake-stripe";
import { serveApp } from "#dev/sandbox-provider/serve-app";
import { generateStripeSecretKey, generateWebhookSecret } from "#dev/secrets";
import { CircuitBreakers } from "#platform/circuit-breakers";
import type { PaymentEvent, PaymentRequest, RefundRequest } from "#payments/payment-provider";
import { StripeProvider } from "#payments/stripe-provider";

/** A delivery as it came: headers and the very bytes. */
export interface StripeDelivery {
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly type: string;
}

/** What {@link startStripeWorld} gives. */
export interface StripeWorld {
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecrets: readonly string[];
  readonly provider: StripeProvider;
  readonly deliveries: readonly StripeDelivery[];
  /** Statuses of the receiver's next answers; 200 when there are none. */
  readonly answers: number[];
  /** Calls the fake's API with its secret key, unless another is given. */
  call(
    method: "GET" | "POST",
    path: string,
    form?: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** Makes a payment of an order and pays it with a test payment method. */
  pay(request: PaymentRequest, paymentMethod?: string): Promise<string>;
  /** Waits for a delivery of the type and gives the newest. */
  waitFor(type: string): Promise<StripeDelivery>;
  /** Waits for it, and reads it as the service would. */
  read(type: string): Promise<PaymentEvent>;
  close(): Promise<void>;
}

/** An answer of the fake's. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A payment of 42.00 EUR for a new order. */
export function requestFor(change: Partial<PaymentRequest> = {}): PaymentRequest {
  return {
    orderId: randomUUID(),
    tenantId: randomUUID(),
    amountCents: 4200,
    currency: "EUR",
    description: "Order ORD-00000001",
    expiresAtMs: 1_777_636_800_000,
    ...change,
  };
}

/** A refund of a payment, whole unless said otherwise. */
export function refundOf(paymentId: string, { orderId, amountCents, currency }: PaymentRequest): RefundRequest {
  return { paymentId, orderId, amountCents, currency, reason: "paid_twice" };
}

/** Starts a fake Stripe with an account of its own, and what hears its events. */
export async function startStripeWorld(change: Partial<FakeStripeOptions> = {}): Promise<StripeWorld> {
  const deliveries: StripeDelivery[] = [];
  const answers: number[] = [];
  const receiver = await serveApp(async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    const { type } = JSON.parse(new TextDecoder().decode(body)) as { type: string }; // every event has one
    deliveries.push({ headers: request.headers, body, type });
    return new Response(null, { status: answers.shift() ?? 200 });
  }, 0);
  const options = {
    port: 0,
    webhookUrl: receiver.url,
    webhookSecrets: [generateWebhookSecret()],
    secretKey: generateStripeSecretKey(),
    laterMs: 20,
    firstRetryMs: 5,
    ...change,
  };
  const stripe = await startFakeStripe(options);
  const { secretKey, webhookSecrets } = options;
  const provider = new StripeProvider({ secretKey, apiBase: stripe.url, webhookSecrets, breakers: new CircuitBreakers() });
  const call: StripeWorld["call"] = async (method, path, form = {}, headers = {}) => {
    const response = await fetch(`${stripe.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${secretKey}`, ...headers },
      ...(method === "POST" ? { body: new URLSearchParams(form) } : {}),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
  };
  const waitFor = (type: string): Promise<StripeDelivery> =>
    vi.waitFor(
      () => {
        const found = deliveries.findLast((delivery) => delivery.type === type);
        if (!found) throw new Error(`no ${type} among ${deliveries.map((delivery) => delivery.type).join(", ")}`);
        return found;
      },
      { timeout: 10_000, interval: 10 },
    );
  return {
    url: stripe.url,
    secretKey,
    webhookSecrets,
    provider,
    deliveries,
    answers,
    call,
    waitFor,
    pay: async (request, paymentMethod = "pm_card_visa") => {
      const created = await provider.createPayment(request, request.orderId);
      if (!created.ok) throw new Error(`no payment: ${created.failure.reason}`);
      await call("POST", `/v1/payment_intents/${created.value.paymentId}/confirm`, { payment_method: paymentMethod });
      return created.value.paymentId;
    },
    read: async (type) => {
      const { body, headers } = await waitFor(type);
      const event = await provider.verifyWebhook(body, headers, (change.readClockMs ?? Date.now)());
      if (!event.ok) throw new Error(`${type} was refused: ${event.failure.code}`);
      return event.value;
    },
    close: async () => {
      await stripe.close();
      await receiver.close();
    },
  };
}
