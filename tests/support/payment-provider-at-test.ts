/** The world outside the service: a payment provider that keeps its books, and a chain that does not answer. */
import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { vi } from "vitest";
import { send } from "./contract-call.ts";

/** What the provider was asked for. */
export interface ProviderBooks {
  /** Order ids (the idempotency keys) of the payments that were created, one for each call. */
  readonly paymentCalls: string[];
  /** Bodies of the refunds asked for. */
  readonly refunds: Readonly<Record<string, unknown>>[];
  /** The refunds asked for of one order: the desks of the tests before go on. */
  refundsOf(orderId: string): readonly Readonly<Record<string, unknown>>[];
  isDown: boolean;
}

/** Serves every outbound request of the service from here, until the mocks are restored. */
export function serveOutside(): ProviderBooks {
  const books: ProviderBooks = {
    paymentCalls: [],
    refunds: [],
    refundsOf: (orderId) => books.refunds.filter((refund) => refund["orderId"] === orderId),
    isDown: false,
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin !== env.SANDBOX_PAYMENT_URL || books.isDown) return new Response(null, { status: 503 });
    if (pathname === "/events") return Response.json({ items: [], nextCursor: null });
    if (request.method === "GET") return new Response(null, { status: 404 });
    const key = request.headers.get("idempotency-key") ?? "";
    const body = await request.json<Record<string, unknown>>();
    if (pathname === "/payments") {
      books.paymentCalls.push(key);
      return Response.json({ id: paymentIdOf(key), status: "requires_action", checkoutUrl: `${origin}/checkout/${key}` });
    }
    if (pathname !== "/refunds") return new Response(null, { status: 404 });
    books.refunds.push(body);
    return Response.json({ id: `re_${key}`, status: "submitted" });
  });
  return books;
}

/** The provider's own id of an order's payment. */
export function paymentIdOf(orderId: string): string {
  return `pay_${orderId}`;
}

/** A provider's event about an order's payment, as its webhook carries it. */
export interface EventFacts {
  readonly type?: string;
  readonly orderId: string;
  readonly amountCents: number;
  readonly currency?: string;
  readonly paymentId?: string;
  readonly reason?: string;
}

/** How the event is signed and sent. Left out, as a provider does it. */
export interface Delivery {
  readonly webhookId?: string;
  readonly secret?: string;
  /** Seconds between the service's clock and the signature's time. */
  readonly skewSeconds?: number;
  /** Changes the body after it was signed. */
  readonly tamper?: (body: string) => string;
}

/** The newest secret of a ring. */
export function newestOf(secrets: string): string {
  return secrets.split(",")[0] ?? "";
}

/** Headers of Standard Webhooks over a body. */
export function signBody(body: string, { webhookId, secret, skewSeconds = 0 }: Delivery = {}): Record<string, string> {
  const id = webhookId ?? `evt_${crypto.randomUUID()}`;
  const signedAt = new Date(Date.now() + skewSeconds * 1000);
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(signedAt.getTime() / 1000)),
    "webhook-signature": new Webhook(secret ?? newestOf(env.PAYMENT_WEBHOOK_SECRETS)).sign(id, signedAt, body),
  };
}

/** Delivers a payment event to the service's webhook. */
export function deliver(facts: EventFacts, delivery: Delivery = {}): Promise<Response> {
  const {
    type = "payment.succeeded",
    orderId,
    amountCents,
    currency = "EUR",
    paymentId = paymentIdOf(orderId),
    reason,
  } = facts;
  const event = { type, timestamp: new Date().toISOString(), data: { paymentId, orderId, amountCents, currency, reason } };
  const body = JSON.stringify(event);
  const sent = delivery.tamper?.(body) ?? body;
  return send("POST", "/api/v1/webhooks/payments/standard", { raw: sent, headers: signBody(body, delivery) });
}
