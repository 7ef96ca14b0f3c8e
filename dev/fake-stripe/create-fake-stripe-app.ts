import { Hono, type Context } from "hono";
import type { AddRoute, ApiHandler, ApiRequest } from "./api-route.ts";
import type { EventFeed } from "./event-feed.ts";
import { parseForm } from "./form-body.ts";
import { IdempotencyStore } from "./idempotency-store.ts";
import { addListRoutes } from "./list-routes.ts";
import { addMoneyRoutes } from "./money-routes.ts";
import { StripeApiError, type StripeErrorBody } from "./stripe-error.ts";
import type { StripeLedger } from "./stripe-ledger.ts";
import { randomText } from "./stripe-objects.ts";

/** What the application is made with. */
export interface FakeStripeAppOptions {
  readonly ledger: StripeLedger;
  readonly feed: EventFeed;
  /** The account's secret key; any other is refused. */
  readonly secretKey: string;
  readonly apiVersion: string;
  readonly readClockMs: () => number;
}

/** Stripe's HTTP interface, as far as the service and a tester use it. */
export function createFakeStripeApp(options: FakeStripeAppOptions): Hono {
  const app = new Hono();
  const keys = new IdempotencyStore(options.readClockMs);
  const add: AddRoute = (method, path, handle) => {
    app.on(method, path, (c) => answer(c, options, keys, handle));
  };
  app.get("/health", (c) => c.json({ status: "ok" }));
  addMoneyRoutes(add, options.ledger);
  addListRoutes(add, options.ledger, options.feed);
  app.notFound((c) => {
    const message = `Unrecognized request URL (${c.req.method}: ${c.req.path}).`;
    return send(options, 404, JSON.stringify({ error: { type: "invalid_request_error", message } }), makeRequestId());
  });
  return app;
}

async function answer(
  c: Context,
  options: FakeStripeAppOptions,
  keys: IdempotencyStore,
  handle: ApiHandler,
): Promise<Response> {
  const requestId = makeRequestId();
  // As bytes: the runtime of the tests warns when a form is read as text.
  const body = new TextDecoder().decode(await c.req.arrayBuffer());
  const key = c.req.method === "POST" ? c.req.header("idempotency-key") : undefined;
  const fingerprint = `${c.req.method} ${c.req.path} ${body}`;
  try {
    const isSecret = authenticate(c, options.secretKey);
    const kept = key === undefined ? undefined : keys.find(key, fingerprint);
    if (kept !== undefined) {
      const replayed = { "idempotency-key": key ?? "", "idempotent-replayed": "true", "original-request": kept.requestId };
      return send(options, kept.status, kept.body, requestId, replayed);
    }
    const fields = parseForm(c.req.method === "POST" ? body : new URL(c.req.url).search.slice(1));
    const outcome = work(handle, { isSecret, fields, id: c.req.param("id") ?? "" });
    if (key !== undefined && !outcome.isBeforeWork) keys.keep(key, fingerprint, { ...outcome, requestId });
    return send(options, outcome.status, outcome.body, requestId, key === undefined ? {} : { "idempotency-key": key });
  } catch (error) {
    if (!(error instanceof StripeApiError)) throw error;
    return send(options, error.status, render(error.body), requestId);
  }
}

function work(
  handle: ApiHandler,
  request: ApiRequest,
): { readonly status: number; readonly body: string; readonly isBeforeWork: boolean } {
  try {
    return { status: 200, body: JSON.stringify(handle(request), null, 2), isBeforeWork: false };
  } catch (error) {
    if (!(error instanceof StripeApiError)) throw error;
    return { status: error.status, body: render(error.body), isBeforeWork: error.isBeforeWork };
  }
}

/** `Authorization: Bearer <key>`, or the key as the user of Basic authentication. @returns whether it is the secret key. */
function authenticate(c: Context, secretKey: string): boolean {
  const [scheme = "", credentials = ""] = (c.req.header("authorization") ?? "").split(" ", 2);
  const isBasic = scheme.toLowerCase() === "basic";
  const key = isBasic ? (Buffer.from(credentials, "base64").toString().split(":")[0] ?? "") : credentials;
  if (key === secretKey) return true;
  if (key.startsWith("pk_test_")) return false;
  const message = key === "" ? "You did not provide an API key." : "Invalid API Key provided.";
  throw new StripeApiError(401, { type: "invalid_request_error", message }, true);
}

function render(error: StripeErrorBody): string {
  return JSON.stringify({ error }, null, 2);
}

function makeRequestId(): string {
  return `req_${randomText(14)}`;
}

function send(
  { apiVersion }: FakeStripeAppOptions,
  status: number,
  body: string,
  requestId: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const headers = { "content-type": "application/json", "request-id": requestId, "stripe-version": apiVersion, ...more };
  return new Response(body, { status, headers });
}
