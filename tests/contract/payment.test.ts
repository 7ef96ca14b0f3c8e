import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OrderDeskObject } from "#durable-objects/order-desk/order-desk";
import { paymentWebhook } from "#http/routes/payments/payment-webhook";
import { expectProblem, expectSafe, send, type Caller } from "../support/contract-call.ts";
import { buy, flushDeskOf, idOf, openSale, runDeskOf, type Sale } from "../support/open-sale.ts";
import {
  deliver,
  newestOf,
  serveOutside,
  signBody,
  type Delivery,
  type ProviderBooks,
} from "../support/payment-provider-at-test.ts";

let books: ProviderBooks;
beforeEach(() => {
  books = serveOutside();
});
afterEach(async () => {
  vi.restoreAllMocks();
});

interface Placed {
  readonly sale: Sale;
  readonly buyer: Caller;
  readonly orderId: string;
  readOrder(): Promise<Readonly<Record<string, unknown>>>;
  countTickets(): Promise<number>;
}

/** One ticket ordered and not yet paid. */
async function placeOne(type: Readonly<Record<string, unknown>> = {}): Promise<Placed> {
  const sale = await openSale(type);
  const buyer = await sale.makeBuyer();
  const orderId = idOf(await buy(sale, buyer));
  const path = `/api/v1/orders/${orderId}`;
  return {
    sale,
    buyer,
    orderId,
    readOrder: async () => (await buyer.call("GET", path)).body,
    countTickets: async () => ((await buyer.call("GET", `${path}/tickets`)).body["items"] as unknown[]).length, // declared so
  };
}

async function expectRefused(response: Response, status: number, code: string): Promise<void> {
  const body: unknown = await response.json();
  expectSafe(response);
  expectProblem(response, body);
  expect(body).toMatchObject({ status, code });
}

/** Moves everyone's clock past a hold of five seconds. Alarms go by the machine's clock, so a test runs them itself. */
function passFiveSeconds(): void {
  const laterMs = Date.now() + 6_000;
  vi.spyOn(Date, "now").mockImplementation(() => laterMs);
}

describe("a payment", () => {
  it("turns the order into tickets that the buyer reads at once, however often it is reported", async () => {
    const placed = await placeOne();
    const { orderId, sale, buyer } = placed;
    for (let delivery = 0; delivery < 3; delivery += 1) {
      const response = await deliver({ orderId, amountCents: 4_500 }, { webhookId: "evt_same" });
      expect(response.status).toBe(200);
      expect(paymentWebhook.answers[200]?.schema?.safeParse(await response.json()).success).toBe(true);
    }
    expect(await placed.readOrder()).toMatchObject({ status: "AWAITING_MINT", payment: { status: "SUCCEEDED" } });
    const tickets = await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`);
    expect(tickets.body).toMatchObject({ items: [{ orderId, ownerUserId: buyer.userId, status: "SOLD" }] });
    expect((await buyer.call("GET", "/api/v1/tickets")).body).toEqual(tickets.body);
    expect(await sale.readStock()).toMatchObject({ soldCount: 1, heldCount: 0 });
    expect(books.refunds).toEqual([]);
  });

  it.each<[string, Delivery]>([
    ["forged with another secret", { secret: `whsec_${btoa("x".repeat(32))}` }],
    ["signed with the ring of internal calls", { secret: newestOf(env.INTERNAL_WEBHOOK_SECRETS) }],
    ["signed six minutes ago", { skewSeconds: -360 }],
    ["signed six minutes from now", { skewSeconds: 360 }],
    ["changed by one byte after signing", { tamper: (body) => `${body} ` }],
    ["with other sums after signing", { tamper: (body) => body.replace("4500", "4501") }],
  ])("%s pays nothing", async (_, delivery) => {
    const placed = await placeOne();
    const response = await deliver({ orderId: placed.orderId, amountCents: 4_500 }, delivery);
    await expectRefused(response, 401, "webhook_signature_invalid");
    expect(await placed.readOrder()).toMatchObject({ status: "PENDING" });
    expect(await placed.countTickets()).toBe(0);
  });

  it.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without its %s header pays nothing", async (name) => {
    const headers = Object.fromEntries(Object.entries(signBody("{}")).filter(([header]) => header !== name));
    const response = await send("POST", "/api/v1/webhooks/payments/standard", { raw: "{}", headers });
    await expectRefused(response, 401, "webhook_signature_invalid");
  });

  it("with a signature header of 100 KB pays nothing, although a good signature stands in it", async () => {
    const placed = await placeOne();
    const data = { paymentId: "p", orderId: placed.orderId, amountCents: 4_500, currency: "EUR" };
    const raw = JSON.stringify({ type: "payment.succeeded", timestamp: new Date().toISOString(), data });
    const headers = signBody(raw);
    const flooded = `${"v1,AAAA ".repeat(12_500)}${headers["webhook-signature"]}`;
    const response = await send("POST", "/api/v1/webhooks/payments/standard", {
      raw,
      headers: { ...headers, "webhook-signature": flooded },
    });
    await expectRefused(response, 401, "webhook_signature_invalid");
    expect(await placed.countTickets()).toBe(0);
  });

  it("signed with the older secret of the ring counts, so that secrets can be changed without losing money", async () => {
    const placed = await placeOne();
    const older = env.PAYMENT_WEBHOOK_SECRETS.split(",")[1] ?? "";
    expect((await deliver({ orderId: placed.orderId, amountCents: 4_500 }, { secret: older })).status).toBe(200);
    expect(await placed.countTickets()).toBe(1);
  });

  it.each(["null", "[]", "{}", "not json", '{"type":"payment.succeeded","timestamp":1,"data":{}}'])(
    "whose signed body is %s is told apart from a forgery",
    async (raw) => {
      const response = await send("POST", "/api/v1/webhooks/payments/standard", { raw, headers: signBody(raw) });
      await expectRefused(response, 400, "webhook_malformed");
    },
  );

  it("of a kind nobody asked for is acknowledged, so that the provider stops sending it", async () => {
    const placed = await placeOne();
    const response = await deliver({ type: "payment.thanked", orderId: placed.orderId, amountCents: 4_500 });
    expect(response.status).toBe(200);
    expect(await placed.readOrder()).toMatchObject({ status: "PENDING" });
  });

  it("says in the books why it failed, in the provider's words", async () => {
    const { orderId } = await placeOne();
    const failed = { type: "payment.failed", orderId, amountCents: 4_500, reason: "insufficient_funds" };
    expect((await deliver(failed, { webhookId: `evt_${orderId}` })).status).toBe(200);
    await flushDeskOf(orderId);
    const query = "SELECT type, reason FROM payment_events WHERE event_id = ?";
    const kept = { type: "payment.failed", reason: "insufficient_funds" };
    expect(await env.DB.prepare(query).bind(`evt_${orderId}`).first()).toEqual(kept);
  });

  it("for an order that does not exist is kept for the books, and acknowledged", async () => {
    const orderId = crypto.randomUUID();
    expect((await deliver({ orderId, amountCents: 1 }, { webhookId: `evt_${orderId}` })).status).toBe(200);
    const query = "SELECT outcome FROM payment_events WHERE event_id = ?";
    expect(await env.DB.prepare(query).bind(`evt_${orderId}`).first()).toEqual({ outcome: "rejected" });
  });

  it.each([
    ["another sum", { amountCents: 4_499 }],
    ["another currency", { amountCents: 4_500, currency: "USD" }],
  ])("of %s issues nothing and is sent back, once", async (_, facts) => {
    const placed = await placeOne();
    const { orderId } = placed;
    for (const webhookId of ["evt_1", "evt_2"]) {
      expect((await deliver({ orderId, ...facts }, { webhookId })).status).toBe(200);
    }
    expect(await placed.countTickets()).toBe(0);
    await expect.poll(() => books.refunds).toMatchObject([{ ...facts, orderId, reason: "amount_mismatch" }]);
  });

  it("that came after the hold ran out takes the stock again while there is some", async () => {
    const placed = await placeOne({ reservationTtlSeconds: 5 });
    passFiveSeconds();
    expect(await placed.readOrder()).toMatchObject({ status: "EXPIRED" });
    expect((await deliver({ orderId: placed.orderId, amountCents: 4_500 })).status).toBe(200);
    expect(await placed.countTickets()).toBe(1);
    expect(await placed.sale.readStock()).toMatchObject({ soldCount: 1 });
  });

  it("that came after the hold ran out and the last ticket went to someone else is sent back, once", async () => {
    const placed = await placeOne({ reservationTtlSeconds: 5, quantity: 1 });
    const { orderId, sale } = placed;
    passFiveSeconds();
    const other = idOf(await buy(sale, await sale.makeBuyer()));
    for (const webhookId of ["evt_late", "evt_later"]) {
      expect((await deliver({ orderId, amountCents: 4_500 }, { webhookId })).status).toBe(200);
    }
    expect(await placed.readOrder()).toMatchObject({ status: "EXPIRED" });
    expect(await placed.countTickets()).toBe(0);
    await runDeskOf(orderId);
    await expect.poll(() => books.refunds).toMatchObject([{ orderId, amountCents: 4_500, reason: "sold_out_after_expiry" }]);
    expect((await deliver({ orderId: other, amountCents: 4_500 })).status).toBe(200);
    expect(await sale.readStock()).toMatchObject({ soldCount: 1, availableCount: 0 });
  });

  it("to a provider that the service does not know is nowhere to be sent", async () => {
    await expectRefused(await send("POST", "/api/v1/webhooks/payments/nobody", { raw: "{}" }), 404, "not_found");
  });
});

describe("an operator's own service", () => {
  const signed = (body: string, delivery: Delivery = {}): Record<string, string> =>
    signBody(body, { secret: newestOf(env.INTERNAL_WEBHOOK_SECRETS), ...delivery });

  it("settles an order paid elsewhere once, and reads the order and its ticket", async () => {
    const placed = await placeOne();
    const { orderId } = placed;
    await flushDeskOf(orderId);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const headers = signed("{}", { webhookId: "box-office-1" });
      const paid = await send("POST", `/internal/orders/${orderId}/mark-paid`, { raw: "{}", headers });
      expect(paid.status).toBe(200);
      expect(await paid.json()).toMatchObject({ id: orderId, status: "AWAITING_MINT" });
    }
    expect(await placed.countTickets()).toBe(1);
    const read = await send("GET", `/internal/orders/${orderId}`, { headers: signed("") });
    expect(await read.json()).toEqual(await placed.readOrder());
  });

  it("is told when its payment's id was another order's: nothing says paid that is not", async () => {
    const { sale, buyer, orderId } = await placeOne();
    const other = idOf(await buy(sale, buyer));
    const markPaid = async (id: string): Promise<Response> =>
      send("POST", `/internal/orders/${id}/mark-paid`, { raw: "", headers: signed("", { webhookId: "transfer-4711" }) });
    expect((await markPaid(orderId)).status).toBe(200);
    await expectRefused(await markPaid(other), 422, "idempotency_key_reused");
    expect((await buyer.call("GET", `/api/v1/orders/${other}`)).body).toMatchObject({ status: "PENDING" });
    expect(await (await markPaid(orderId)).json()).toMatchObject({ id: orderId, status: "AWAITING_MINT" });
  });

  it("is told so by every desk, and may repeat what it said of the order that was paid", async () => {
    const { sale, orderId } = await placeOne();
    const others: string[] = [];
    while (others.length < 4) others.push(idOf(await buy(sale, await sale.makeBuyer())));
    const markPaid = async (id: string): Promise<Response> =>
      send("POST", `/internal/orders/${id}/mark-paid`, {
        raw: "",
        headers: signed("", { webhookId: `transfer-of-${orderId}` }),
      });
    expect((await markPaid(orderId)).status).toBe(200);
    for (const other of others) await expectRefused(await markPaid(other), 422, "idempotency_key_reused");
    expect(await sale.readStock()).toMatchObject({ soldCount: 1 });
    expect(await (await markPaid(orderId)).json()).toMatchObject({ id: orderId, status: "AWAITING_MINT" });
  });

  it("finds and settles an order that was made a moment ago, and its ticket, while D1 has heard of neither", async () => {
    const { buyer, orderId } = await placeOne();
    vi.spyOn(OrderDeskObject.prototype, "alarm").mockResolvedValue();
    const path = `/internal/orders/${orderId}`;
    const paid = await send("POST", `${path}/mark-paid`, { raw: "", headers: signed("") });
    expect(await paid.json()).toMatchObject({ id: orderId, status: "AWAITING_MINT" });
    const { body } = await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`);
    const ticketId = String((body["items"] as { id: unknown }[])[0]?.id); // declared so
    expect(await env.DB.prepare("SELECT id FROM tickets WHERE id = ?").bind(ticketId).first()).toBeNull();
    for (const at of [path, `/internal/tickets/${ticketId}`]) {
      const read = await send("GET", at, { headers: signed("") });
      expect([read.status, await read.json()], at).toEqual([200, expect.objectContaining({ id: at.split("/").at(-1) })]);
    }
  });

  it.each(["GET /internal/orders", "GET /internal/tickets", "POST /internal/orders"])(
    "that does not sign, or signs with the provider's secret, learns nothing at %s",
    async (route) => {
      const [method = "", prefix = ""] = route.split(" ");
      const path = `${prefix}/${crypto.randomUUID()}${method === "POST" ? "/mark-paid" : ""}`;
      const raw = method === "POST" ? { raw: "{}" } : {};
      await expectRefused(await send(method, path, raw), 401, "webhook_signature_invalid");
      const headers = signBody(method === "POST" ? "{}" : "");
      await expectRefused(await send(method, path, { ...raw, headers }), 401, "webhook_signature_invalid");
    },
  );

  it.each(["{", "null", '{"amount":1}'])("that does not sign learns nothing of what a body should be: %s", async (raw) => {
    const path = `/internal/orders/${crypto.randomUUID()}/mark-paid`;
    await expectRefused(await send("POST", path, { raw }), 401, "webhook_signature_invalid");
  });

  it("that names another sum than the order's settles nothing", async () => {
    const placed = await placeOne();
    await flushDeskOf(placed.orderId);
    const raw = JSON.stringify({ amountCents: 1 });
    const response = await send("POST", `/internal/orders/${placed.orderId}/mark-paid`, { raw, headers: signed(raw) });
    await expectRefused(response, 409, "amount_mismatch");
    expect(await placed.countTickets()).toBe(0);
  });
});
