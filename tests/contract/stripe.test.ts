import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { configureLog } from "#platform/logger";
import { send, type Caller } from "../support/contract-call.ts";
import { idOf, openSale, runDeskOf, type Sale } from "../support/open-sale.ts";
import { newestOf, signBody } from "../support/payment-provider-at-test.ts";
import { deliverSigned, serveStripe, STRIPE_WEBHOOK, type StripeAtTest } from "../support/stripe-at-test.ts";

let stripe: StripeAtTest;
beforeEach(() => {
  stripe = serveStripe();
});
afterEach(async () => {
  await stripe.close();
  vi.restoreAllMocks();
  configureLog("info");
});

const paymentShape = z.object({
  provider: z.literal("stripe"),
  id: z.string().startsWith("pi_"),
  status: z.literal("REQUIRES_ACTION"),
  action: z.object({ type: z.literal("client_secret"), clientSecret: z.string().includes("_secret_") }),
});

interface Placed {
  readonly sale: Sale;
  readonly buyer: Caller;
  readonly orderId: string;
  readonly paymentId: string;
  readonly clientSecret: string;
  readOrder(): Promise<Readonly<Record<string, unknown>>>;
  countTickets(): Promise<number>;
}

/** One ticket ordered, to be paid through Stripe. */
async function placeOne(type: Readonly<Record<string, unknown>> = {}): Promise<Placed> {
  const sale = await openSale(type);
  const buyer = await sale.makeBuyer();
  const body = { ...sale.basket(1), paymentProvider: "stripe" };
  const answer = await buyer.call("POST", "/api/v1/purchase", { key: crypto.randomUUID(), body });
  const orderId = idOf(answer);
  const payment = paymentShape.parse(answer.body["payment"]);
  const path = `/api/v1/orders/${orderId}`;
  return {
    sale,
    buyer,
    orderId,
    paymentId: payment.id,
    clientSecret: payment.action.clientSecret,
    readOrder: async () => (await buyer.call("GET", path)).body,
    countTickets: async () => ((await buyer.call("GET", `${path}/tickets`)).body["items"] as unknown[]).length, // declared so
  };
}

async function confirm({ paymentId }: Placed, paymentMethod = "pm_card_visa"): Promise<void> {
  await stripe.call("POST", `/v1/payment_intents/${paymentId}/confirm`, { payment_method: paymentMethod });
  await stripe.settle();
}

it("gives the secret that a payment is made with to its buyer alone, and to no manager, before and after", async () => {
  const placed = await placeOne();
  const { manager } = placed.sale;
  const path = `/api/v1/orders/${placed.orderId}`;
  const readByOthers = async (): Promise<string[]> => {
    const one = await manager.call("GET", path);
    const headers = signBody("", { secret: newestOf(env.INTERNAL_WEBHOOK_SECRETS) });
    const operators = await send("GET", `/internal/orders/${placed.orderId}`, { headers });
    return [`${one.status} ${JSON.stringify(one.body)}`, `${operators.status} ${await operators.text()}`];
  };
  const ofOpen = await readByOthers();
  expect(JSON.stringify(await placed.readOrder())).toContain(placed.clientSecret);
  await confirm(placed);
  const back = await manager.call("POST", `${path}/refund`, { key: "r", body: { reason: "off" } });
  for (const text of [...ofOpen, ...(await readByOthers()), `${back.status} ${JSON.stringify(back.body)}`]) {
    expect(text).toMatch(/^200 .*"payment"/);
    expect(text).not.toContain(placed.clientSecret);
  }
});

describe("a purchase through Stripe", () => {
  it("is paid in the buyer's browser, and its tickets are there when Stripe has told us", async () => {
    const placed = await placeOne();
    expect(await placed.readOrder()).toMatchObject({ status: "PENDING" });
    await confirm(placed);
    expect(await placed.readOrder()).toMatchObject({ status: "AWAITING_MINT", payment: { status: "SUCCEEDED" } });
    expect(await placed.countTickets()).toBe(1);
    expect(await placed.sale.readStock()).toMatchObject({ soldCount: 1, heldCount: 0 });
  });

  it("repeated under its key is one order with one payment", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const body = { ...sale.basket(1), paymentProvider: "stripe" };
    const [first, again] = [
      await buyer.call("POST", "/api/v1/purchase", { key: "same", body }),
      await buyer.call("POST", "/api/v1/purchase", { key: "same", body }),
    ];
    expect(again.body).toEqual(first.body);
    expect(stripe.requests).toEqual(["POST /v1/payment_intents"]);
  });

  it("while Stripe is down can be sent again, and then goes on with the same order", async () => {
    const sale = await openSale();
    const buyer = await sale.makeBuyer();
    const body = { ...sale.basket(1), paymentProvider: "stripe" };
    stripe.isDown = true;
    const failed = await buyer.call("POST", "/api/v1/purchase", { key: "patient", body });
    expect(failed).toMatchObject({ status: 503, body: { code: "payment_provider_down" } });
    stripe.isDown = false;
    idOf(await buyer.call("POST", "/api/v1/purchase", { key: "patient", body }));
    expect(await sale.readStock()).toMatchObject({ heldCount: 1 });
  });

  it("declined at first may be paid with another card", async () => {
    const placed = await placeOne();
    await confirm(placed, "pm_card_chargeDeclined");
    expect(await placed.readOrder()).toMatchObject({ status: "PAYMENT_FAILED" });
    await confirm(placed);
    expect(await placed.readOrder()).toMatchObject({ status: "AWAITING_MINT" });
    expect(await placed.countTickets()).toBe(1);
  });

  it("paid after it was cancelled goes back once, through Stripe", async () => {
    const placed = await placeOne();
    await placed.buyer.call("POST", `/api/v1/orders/${placed.orderId}/cancel`, { key: "cancel", body: {} });
    await confirm(placed);
    await runDeskOf(placed.orderId);
    await runDeskOf(placed.orderId);
    const { data } = await stripe.call("GET", `/v1/refunds?payment_intent=${placed.paymentId}`);
    expect(data).toMatchObject([{ amount: 4_500, currency: "eur", metadata: { order_id: placed.orderId } }]);
    await stripe.settle();
    expect(await placed.countTickets()).toBe(0);
  });
});

describe("Stripe's webhook", () => {
  it.each(["", "{", '"\\ud800"', "[".repeat(30_000), "null"])(
    "answers 400 to a genuine body that is no event: case %#",
    async (body) => {
      expect((await deliverSigned(body)).status).toBe(400);
    },
  );

  it("answers 401 to what it did not sign, whatever it is", async () => {
    for (const raw of ["", "{}", new Uint8Array([0xff, 0xfe]), "x".repeat(1000)]) {
      expect((await send("POST", STRIPE_WEBHOOK, { raw })).status).toBe(401);
      const headers = { "stripe-signature": `t=${Math.floor(Date.now() / 1000)},v1=${"0".repeat(64)}` };
      expect((await send("POST", STRIPE_WEBHOOK, { raw, headers })).status).toBe(401);
    }
    expect((await deliverSigned("{}", `whsec_${"x".repeat(32)}`)).status).toBe(401);
  });

  it("answers 401 to a secret of another provider", async () => {
    const secret = env.PAYMENT_WEBHOOK_SECRETS.split(",")[0] ?? "";
    expect((await deliverSigned("{}", secret)).status).toBe(401);
  });

  it("acknowledges the payment of an order that does not exist here, and keeps it for the books", async () => {
    const metadata = { "metadata[order_id]": crypto.randomUUID(), "metadata[tenant_id]": crypto.randomUUID() };
    const { id } = await stripe.call("POST", "/v1/payment_intents", { amount: "100", currency: "eur", ...metadata });
    await stripe.call("POST", `/v1/payment_intents/${String(id)}/confirm`, { payment_method: "pm_card_visa" });
    await stripe.settle();
    const { data } = await stripe.call("GET", "/v1/events?type=payment_intent.succeeded");
    const [event] = z.array(z.object({ id: z.string() })).parse(data);
    const query = "SELECT outcome FROM payment_events WHERE provider = 'stripe' AND event_id = ?";
    expect(await env.DB.prepare(query).bind(event?.id).first()).toEqual({ outcome: "rejected" });
  });

  it("asks for a dispute to be sent again while its payment cannot be looked up, and takes it then", async () => {
    const placed = await placeOne();
    await confirm(placed);
    const charge = await stripe.call("GET", "/v1/disputes");
    expect(charge["data"]).toEqual([]);
    const dispute = { id: "du_1", status: "needs_response", amount: 4_500, currency: "eur", payment_intent: placed.paymentId };
    const event = { id: "evt_dispute", type: "charge.dispute.created", created: 1, data: { object: dispute } };
    stripe.isDown = true;
    const refused = await deliverSigned(JSON.stringify(event));
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    stripe.isDown = false;
    expect((await deliverSigned(JSON.stringify(event))).status).toBe(200);
  });
});

it("neither keys, signatures nor client secrets are in any log line", async () => {
  configureLog("debug");
  const lines: string[] = [];
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => void lines.push(args.map(String).join(" ")));
  }
  const placed = await placeOne();
  await confirm(placed, "pm_card_chargeDeclined");
  await confirm(placed);
  await deliverSigned("{}", `whsec_${"x".repeat(32)}`);
  const all = lines.join("\n");
  expect(lines.length).toBeGreaterThan(3);
  for (const secret of [env.STRIPE_SECRET_KEY, placed.clientSecret, ...env.STRIPE_WEBHOOK_SECRETS.split(",")]) {
    expect(all).not.toContain(secret);
  }
  expect(all).not.toMatch(/v1=[0-9a-f]{20}/);
});
