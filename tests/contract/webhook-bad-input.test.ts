/** What a payment provider's webhook makes of deliveries that are of no use: never an error of ours, never a reason to send again. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { receiveWebhook } from "#services/payment/receive-webhook";
import { expectProblem, expectSafe, send } from "../support/contract-call.ts";
import { flushDeskOf, openSale } from "../support/open-sale.ts";
import { brokenDb, makeOrganiser } from "../support/organiser.ts";
import { payOrder, placeUnpaid } from "../support/paid-over-http.ts";
import {
  deliver,
  newestOf,
  paymentIdOf,
  serveOutside,
  signBody,
  type EventFacts,
} from "../support/payment-provider-at-test.ts";

beforeEach(() => {
  serveOutside();
});
afterEach(() => {
  vi.restoreAllMocks();
});

const PATH = "/api/v1/webhooks/payments/standard";

/** An authentic delivery of whatever text. */
function deliverText(raw: string, path = PATH): Promise<Response> {
  return send("POST", path, { raw, headers: signBody(raw) });
}

/** Headers of Standard Webhooks over bytes that are no text. */
async function signBytes(bytes: Uint8Array): Promise<Record<string, string>> {
  const headers = signBody("");
  const prefix = new TextEncoder().encode(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`);
  const secret = newestOf(env.PAYMENT_WEBHOOK_SECRETS).replace("whsec_", "");
  const keyBytes = Uint8Array.from(atob(secret), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", keyBytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, new Uint8Array([...prefix, ...bytes])));
  return { ...headers, "webhook-signature": `v1,${btoa(String.fromCharCode(...mac))}` };
}

async function expectRefused(response: Response, status: number, code: string): Promise<void> {
  const body: unknown = await response.json();
  expectSafe(response);
  expectProblem(response, body);
  expect(body).toMatchObject({ status, code });
}

/** What was kept of an event that no order has. */
async function readKept(eventId: string): Promise<Record<string, unknown> | null> {
  const query = "SELECT tenant_id, order_id, type, raw_type, outcome FROM payment_events WHERE event_id = ?";
  return env.DB.prepare(query).bind(eventId).first();
}

const whole = JSON.stringify({
  type: "payment.succeeded",
  timestamp: "2031-05-01T18:00:00Z",
  data: { paymentId: "p", orderId: crypto.randomUUID(), amountCents: 1, currency: "EUR" },
});
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

describe("a signed delivery", () => {
  it.each([
    ["nothing", "", 400, "webhook_malformed"],
    ["an event that was cut off", whole.slice(0, -20), 400, "webhook_malformed"],
    ["lists nested 30,000 deep", nested(30_000), 400, "webhook_malformed"],
    [
      "an event with 20,000 levels in a field",
      whole.replace('"p"', `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`),
      400,
      "webhook_malformed",
    ],
    ["a NUL byte", "\0", 400, "webhook_malformed"],
    ["1 MiB", "x".repeat(1_048_576), 413, "body_too_large"],
    ["an order that is no UUID", whole.replace(/"orderId":"[^"]*"/, '"orderId":"1\' OR 1=1"'), 400, "webhook_malformed"],
    ["an amount beyond what a number holds", whole.replace('"amountCents":1', '"amountCents":1e400'), 400, "webhook_malformed"],
    ["a negative amount", whole.replace('"amountCents":1', '"amountCents":-1'), 400, "webhook_malformed"],
  ])("of %s is refused, and the fault is the sender's", async (_, raw, status, code) => {
    await expectRefused(await deliverText(raw), status, code);
  });

  it("of deep nesting in a field that nobody reads is taken for what it says", async () => {
    const deep = whole.replace('"data":{', `"extra":${nested(10_000)},"data":{`);
    expect((await deliverText(deep)).status).toBe(200);
  });

  it("of bytes that are not UTF-8 is refused, and told apart from a forgery of them", async () => {
    const raw = new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]);
    const forged = await send("POST", PATH, { raw, headers: signBody("{}") });
    await expectRefused(forged, 401, "webhook_signature_invalid");
    await expectRefused(await send("POST", PATH, { raw, headers: await signBytes(raw) }), 400, "webhook_malformed");
  });

  it.each([
    ["100 KB of letters", "v1,".padEnd(100_000, "A")],
    ["100 KB of signatures", `v1,${"A".repeat(43)}= `.repeat(2_100).trim()],
    ["100 KB of spaces", "v1,".padEnd(100_000, " ").concat("x")],
  ])("with a signature header of %s is refused without being looked at for long", async (_, signature) => {
    const headers = { ...signBody(whole), "webhook-signature": signature };
    await expectRefused(await send("POST", PATH, { raw: whole, headers }), 401, "webhook_signature_invalid");
  });

  it.each(["nobody", "internal", "Standard", "standard%20", "..%2Fstandard"])("to provider %s finds nobody", async (name) => {
    await expectRefused(await deliverText(whole, `/api/v1/webhooks/payments/${name}`), 404, "not_found");
  });
});

describe("an authentic event of no use", () => {
  it("of a type that the service ignores is recorded as that, once, and answered", async () => {
    const webhookId = `evt_${crypto.randomUUID()}`;
    const raw = JSON.stringify({ type: "customer.thanked", data: nested(10) });
    for (let delivery = 0; delivery < 2; delivery += 1) {
      const response = await send("POST", PATH, { raw, headers: signBody(raw, { webhookId }) });
      expect([response.status, await response.json()]).toEqual([200, { received: true }]);
    }
    expect(await readKept(webhookId)).toEqual({
      tenant_id: null,
      order_id: null,
      type: "customer.thanked",
      raw_type: "customer.thanked",
      outcome: "ignored",
    });
  });

  it("of an ignored type is answered also while D1 is down; one that belongs to no order must come again for the books", async () => {
    const ctx = (await makeOrganiser()).contextWith({ db: brokenDb });
    const take = (raw: string) =>
      receiveWebhook(ctx, {
        provider: "standard",
        rawBody: new TextEncoder().encode(raw),
        headers: new Headers(signBody(raw)),
      });
    expect(await take('{"type":"customer.thanked"}')).toMatchObject({ ok: true });
    await expect(take(whole)).rejects.toThrow("D1 is down");
  });

  it.each(["payment.succeeded", "refund.succeeded", "dispute.lost"])(
    "about an order that does not exist is recorded as rejected, and answered: %s",
    async (type) => {
      const webhookId = `evt_${crypto.randomUUID()}`;
      const facts = { type, orderId: crypto.randomUUID(), amountCents: 1 };
      expect((await deliver(facts, { webhookId })).status).toBe(200);
      expect(await readKept(webhookId)).toMatchObject({ type, raw_type: type, outcome: "rejected", order_id: null });
    },
  );

  it("about another payment than the order's changes nothing of the order, whatever it says but that money came", async () => {
    const sale = await openSale();
    const sold = await payOrder(sale);
    const { orderId } = sold;
    const before = [await sold.readOrder(), await sold.readStatuses()];
    const foreign = paymentIdOf(await placeUnpaid(sale));
    for (const type of [
      "payment.failed",
      "payment.canceled",
      "refund.succeeded",
      "refund.failed",
      "dispute.opened",
      "dispute.lost",
    ]) {
      const facts: EventFacts = { type, orderId, amountCents: 4_500, paymentId: foreign };
      expect((await deliver(facts)).status, type).toBe(200);
    }
    expect([await sold.readOrder(), await sold.readStatuses()]).toEqual(before);
    await flushDeskOf(orderId);
  });
});
