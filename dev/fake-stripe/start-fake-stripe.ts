import { STRIPE_API_VERSION } from "#payments/stripe-schemas";
import { serveApp, type RunningServer } from "../sandbox-provider/serve-app.ts";
import { createFakeStripeApp } from "./create-fake-stripe-app.ts";
import { EventFeed } from "./event-feed.ts";
import { StripeLedger } from "./stripe-ledger.ts";

/** How the fake Stripe is started. */
export interface FakeStripeOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Where signed events go: the service's `/api/v1/webhooks/payments/stripe`. */
  readonly webhookUrl: string;
  /** The endpoint's secrets that are in use, each `whsec_…`: every delivery carries a signature of each. */
  readonly webhookSecrets: readonly string[];
  /** The account's secret key, the service's `STRIPE_SECRET_KEY`. */
  readonly secretKey: string;
  /** The clock of objects, events and idempotency keys; the machine's when left out. */
  readonly readClockMs?: () => number;
  /** How long "some time later" is, when a pending refund ends. */
  readonly laterMs?: number;
  readonly firstRetryMs?: number;
  readonly maxAttempts?: number;
}

/**
 * Starts a Stripe that moves no money, on 127.0.0.1: PaymentIntents, refunds, disputes and events as the pinned API version
 * has them, paid with Stripe's own test payment methods. State is in memory.
 * @throws Error when the port is taken.
 */
export async function startFakeStripe(options: FakeStripeOptions): Promise<RunningServer> {
  const { port, webhookUrl, webhookSecrets, secretKey, laterMs = 1000, firstRetryMs, maxAttempts } = options;
  const readClockMs = options.readClockMs ?? Date.now;
  const feed = new EventFeed({
    webhookUrl,
    webhookSecrets,
    apiVersion: STRIPE_API_VERSION,
    readClockMs,
    ...(firstRetryMs === undefined ? {} : { firstRetryMs }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  });
  const timers = new Set<NodeJS.Timeout>();
  const ledger = new StripeLedger({
    readClockMs,
    emit: (type, object, previous) => feed.emit(type, object, previous),
    later: (work) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, laterMs);
      timers.add(timer);
    },
  });
  const app = createFakeStripeApp({ ledger, feed, secretKey, apiVersion: STRIPE_API_VERSION, readClockMs });
  const server = await serveApp((request) => app.fetch(request), port);
  return {
    url: server.url,
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
      await server.close();
      await feed.close();
    },
  };
}
