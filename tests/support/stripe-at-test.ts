/** The fake Stripe of `dev/`, inside the test: what the service asks it, and its events delivered to the service's webhook. */
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { createFakeStripeApp } from "#dev/fake-stripe/create-fake-stripe-app";
import { EventFeed } from "#dev/fake-stripe/event-feed";
import { StripeLedger } from "#dev/fake-stripe/stripe-ledger";
import { signStripeWebhook } from "#dev/fake-stripe/webhook-signature";
import { STRIPE_API_VERSION } from "#payments/stripe-schemas";
import { send } from "./contract-call.ts";

/** The path of the service's webhook for Stripe. */
export const STRIPE_WEBHOOK = "/api/v1/webhooks/payments/stripe";

/** What {@link serveStripe} gives. */
export interface StripeAtTest {
  /** Calls the fake as its account's owner would. */
  call(method: "GET" | "POST", path: string, form?: Readonly<Record<string, string>>): Promise<Record<string, unknown>>;
  /** Every request that reached Stripe, as `METHOD /path`. */
  readonly requests: readonly string[];
  /** While true nobody reaches Stripe. */
  isDown: boolean;
  /** Tells what happened since the last time, and waits until every event was delivered. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Serves every outbound request of the service from a new account, until the mocks are restored. */
export function serveStripe(): StripeAtTest {
  const readClockMs = (): number => Date.now();
  const webhookSecrets = env.STRIPE_WEBHOOK_SECRETS.split(",");
  const feed = new EventFeed({
    webhookUrl: `https://tickets.test${STRIPE_WEBHOOK}`,
    webhookSecrets,
    apiVersion: STRIPE_API_VERSION,
    readClockMs,
    firstRetryMs: 10,
  });
  // A delivery begun while the service waits for Stripe's answer would belong to that request, and end with it. So what
  // happens is told when the test says so.
  const untold: (() => void)[] = [];
  const ledger = new StripeLedger({
    readClockMs,
    emit: (type, object, previous) => {
      const then = structuredClone(object);
      untold.push(() => feed.emit(type, then, previous));
    },
    later: (work) => untold.push(work),
  });
  const secretKey = env.STRIPE_SECRET_KEY;
  const app = createFakeStripeApp({ ledger, feed, secretKey, apiVersion: STRIPE_API_VERSION, readClockMs });
  const requests: string[] = [];
  const world = { isDown: false };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin === "https://tickets.test") {
      const headers = Object.fromEntries(request.headers);
      return send("POST", pathname, { raw: await request.arrayBuffer(), headers });
    }
    if (origin !== env.STRIPE_API_BASE || world.isDown) return new Response(null, { status: 503 });
    requests.push(`${request.method} ${pathname}`);
    return app.fetch(request);
  });
  return Object.assign(world, {
    requests,
    call: async (method: "GET" | "POST", path: string, form: Readonly<Record<string, string>> = {}) => {
      const body = method === "POST" ? { body: new URLSearchParams(form) } : {};
      const headers = { authorization: `Bearer ${secretKey}` };
      const response = await app.request(`${env.STRIPE_API_BASE}${path}`, { method, headers, ...body });
      return response.json<Record<string, unknown>>();
    },
    settle: async () => {
      for (let tell = untold.shift(); tell !== undefined; tell = untold.shift()) tell();
      await vi.waitFor(() => {
        const waiting = feed.list({ isUndelivered: true, types: [], createdFromSeconds: 0 });
        if (waiting.length > 0) throw new Error(`not delivered: ${waiting.map(({ type }) => type).join(", ")}`);
      }, 10_000);
    },
    close: () => feed.close(),
  });
}

/** Delivers a body to the webhook, signed as Stripe signs, with the newest secret unless told otherwise. */
export function deliverSigned(body: string, secret = env.STRIPE_WEBHOOK_SECRETS.split(",")[0] ?? ""): Promise<Response> {
  const signature = signStripeWebhook(body, [secret], Date.now());
  return send("POST", STRIPE_WEBHOOK, { raw: body, headers: { "stripe-signature": signature } });
}
