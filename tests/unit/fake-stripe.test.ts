import { randomUUID } from "node:crypto";
import { Stripe } from "stripe";
import { afterEach, describe, expect, test } from "vitest";
import { parseForm } from "#dev/fake-stripe/form-body";
import { signStripeWebhook } from "#dev/fake-stripe/webhook-signature";
import { generateWebhookSecret } from "#dev/secrets";
import { STRIPE_API_VERSION } from "#payments/stripe-schemas";
import { requestFor, startStripeWorld, type StripeWorld } from "../support/node/stripe-world.ts";

const DAY_MS = 24 * 3_600_000;
const INTENT = { amount: "4200", currency: "eur" };

const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function startWorld(change: Parameters<typeof startStripeWorld>[0] = {}): Promise<StripeWorld> {
  const world = await startStripeWorld(change);
  running.push(world);
  return world;
}

describe("keys of the fake are kept as Stripe keeps them", () => {
  test("the first answer again, marked, and nothing is done twice", async () => {
    const world = await startWorld();
    const key = { "idempotency-key": randomUUID() };
    const first = await world.call("POST", "/v1/payment_intents", INTENT, key);
    const again = await world.call("POST", "/v1/payment_intents", INTENT, key);
    expect(again.body).toEqual(first.body);
    expect([first, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
    expect(again.headers.get("original-request")).toBe(first.headers.get("request-id"));
    const { data } = (await world.call("GET", "/v1/events")).body as { data: unknown[] }; // Stripe's list
    expect(data).toHaveLength(1);
  });

  test("other parameters under the same key are an idempotency_error", async () => {
    const world = await startWorld();
    const key = { "idempotency-key": randomUUID() };
    await world.call("POST", "/v1/payment_intents", INTENT, key);
    const refused = await world.call("POST", "/v1/payment_intents", { ...INTENT, amount: "4300" }, key);
    expect(refused).toMatchObject({ status: 400, body: { error: { type: "idempotency_error" } } });
  });

  test("for 24 hours, and then the key is as new", async () => {
    let nowMs = Date.now();
    const world = await startWorld({ readClockMs: () => nowMs });
    const key = { "idempotency-key": randomUUID() };
    const idAt = async (laterMs: number): Promise<unknown> => {
      nowMs += laterMs;
      return (await world.call("POST", "/v1/payment_intents", INTENT, key)).body["id"];
    };
    const first = await idAt(0);
    expect(await idAt(DAY_MS - 1)).toBe(first);
    expect(await idAt(1)).not.toBe(first);
  });

  test("also an answer that was no success, but not one to a request that was never begun", async () => {
    const world = await startWorld();
    const { body } = await world.call("POST", "/v1/payment_intents", INTENT);
    const path = `/v1/payment_intents/${String(body["id"])}/confirm`;
    const key = { "idempotency-key": randomUUID() };
    const decline = { payment_method: "pm_card_chargeDeclined" };
    for (const replayed of [null, "true"]) {
      const declined = await world.call("POST", path, decline, key);
      expect(declined).toMatchObject({ status: 402, body: { error: { type: "card_error", decline_code: "generic_decline" } } });
      expect(declined.headers.get("idempotent-replayed")).toBe(replayed);
    }
    const other = { "idempotency-key": randomUUID() };
    expect((await world.call("POST", "/v1/payment_intents", { currency: "eur" }, other)).status).toBe(400);
    expect((await world.call("POST", "/v1/payment_intents", INTENT, other)).status).toBe(200);
  });
});

describe("refusals of the fake look like Stripe's", () => {
  test.each<[string, string, Record<string, string>, number, object]>([
    ["no amount", "/v1/payment_intents", { currency: "eur" }, 400, { code: "parameter_missing", param: "amount" }],
    ["a fraction", "/v1/payment_intents", { amount: "1.5", currency: "eur" }, 400, { code: "parameter_invalid_integer" }],
    ["nine digits", "/v1/payment_intents", { amount: "100000000", currency: "eur" }, 400, { code: "amount_too_large" }],
    ["no such payment", "/v1/refunds", { payment_intent: "pi_none" }, 404, { code: "resource_missing" }],
    ["an unknown card", "/v1/payment_intents/pi_none/confirm", { payment_method: "pm_x" }, 404, { code: "resource_missing" }],
  ])("%s", async (_, path, form, status, error) => {
    const world = await startWorld();
    const refused = await world.call("POST", path, form);
    expect(refused).toMatchObject({ status, body: { error: { type: "invalid_request_error", ...error } } });
    expect(refused.headers.get("request-id")).toMatch(/^req_/);
  });

  test("another's key, or a publishable one where the secret key is needed, does nothing", async () => {
    const world = await startWorld();
    for (const authorization of ["", "Bearer sk_test", "Bearer pk_test_any", "Basic !"]) {
      expect((await world.call("POST", "/v1/payment_intents", INTENT, { authorization })).status).toBe(401);
    }
    expect((await world.call("GET", "/v1/nothing")).status).toBe(404);
  });

  test("a buyer's browser pays with the publishable key and the client secret of that payment alone", async () => {
    const world = await startWorld();
    const { body } = await world.call("POST", "/v1/payment_intents", INTENT);
    const path = `/v1/payment_intents/${String(body["id"])}/confirm`;
    const browser = { authorization: `Basic ${btoa("pk_test_any:")}` };
    const form = { payment_method: "pm_card_visa", client_secret: "guessed" };
    expect((await world.call("POST", path, form, browser)).status).toBe(400);
    const known = { ...form, client_secret: String(body["client_secret"]) };
    expect((await world.call("POST", path, known, browser)).body).toMatchObject({ status: "succeeded", amount_received: 4200 });
  });

  test("a payment is paid once, and not after it was canceled", async () => {
    const world = await startWorld();
    const paid = await world.pay(requestFor());
    const unexpected = { status: 400, body: { error: { code: "payment_intent_unexpected_state" } } };
    for (const verb of ["confirm", "cancel"]) {
      const path = `/v1/payment_intents/${paid}/${verb}`;
      expect(await world.call("POST", path, { payment_method: "pm_card_visa" })).toMatchObject(unexpected);
    }
  });
});

describe("events of the fake are told as Stripe tells them", () => {
  test("in the pinned version, signed with each secret in use and a v0, which the official package accepts", async () => {
    const webhookSecrets = [generateWebhookSecret(), generateWebhookSecret()];
    const world = await startWorld({ webhookSecrets });
    await world.pay(requestFor());
    const { body, headers } = await world.waitFor("payment_intent.succeeded");
    const header = headers.get("stripe-signature") ?? "";
    expect(header).toMatch(/^t=\d+,v1=[0-9a-f]{64},v1=[0-9a-f]{64},v0=[0-9a-f]{64}$/);
    for (const secret of webhookSecrets) {
      const event = await Stripe.webhooks.constructEventAsync(body, header, secret);
      expect(event).toMatchObject({ object: "event", api_version: STRIPE_API_VERSION, livemode: false });
    }
  });

  test("the header is what the package itself would make", () => {
    const [secret, payload] = [generateWebhookSecret(), '{"id":"evt_1"}'];
    const theirs = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: 1_777_636_800 });
    expect(signStripeWebhook(payload, [secret], 1_777_636_800_999)).toMatch(new RegExp(`^${theirs},v0=`));
  });

  test("again, signed anew under the same id, until the service answers 2xx", async () => {
    const world = await startWorld();
    world.answers.push(500, 302, 429);
    await world.call("POST", "/v1/payment_intents", INTENT);
    await expect.poll(() => world.deliveries.length).toBe(4);
    const ids = world.deliveries.map(({ body }) => (JSON.parse(new TextDecoder().decode(body)) as { id: string }).id); // each has one
    expect(new Set(ids).size).toBe(1);
    const { body } = await world.call("GET", "/v1/events?delivery_success=false");
    expect(body["data"]).toEqual([]);
  });

  test("given up after its attempts, and listed as undelivered, page by page and by type", async () => {
    const world = await startWorld({ maxAttempts: 1 });
    world.answers.push(500, 500, 500, 500, 500);
    for (let made = 0; made < 5; made += 1) await world.call("POST", "/v1/payment_intents", INTENT);
    await expect.poll(() => world.deliveries.length).toBe(5);
    type List = { data: { id: string; pending_webhooks: number }[]; has_more: boolean };
    const listed = async (query: string): Promise<List> =>
      (await world.call("GET", `/v1/events?delivery_success=false&${query}`)).body as unknown as List; // Stripe's list
    const first = await listed("limit=3");
    expect(first).toMatchObject({ has_more: true, data: [{ pending_webhooks: 1 }, {}, {}] });
    const rest = await listed(`limit=3&starting_after=${first.data.at(-1)?.id}`);
    expect(rest).toMatchObject({ has_more: false });
    expect(new Set([...first.data, ...rest.data].map(({ id }) => id)).size).toBe(5);
    expect((await listed("types[0]=payment_intent.created&types[1]=refund.created")).data).toHaveLength(5);
    expect((await listed("types[0]=refund.created")).data).toEqual([]);
    expect((await listed(`created[gte]=${Math.floor(Date.now() / 1000) + 60}`)).data).toEqual([]);
  });
});

describe("the form of a request", () => {
  test("is read as the package nests it", () => {
    const text = "amount=1&metadata[order_id]=a%26b&types[0]=x&types[1]=y&expand[]=z&deep[a][b]=1&odd]=2";
    expect(JSON.parse(JSON.stringify(parseForm(text)))).toEqual({
      amount: "1",
      metadata: { order_id: "a&b" },
      types: { 0: "x", 1: "y" },
      expand: { 0: "z" },
      deep: { a: { b: "1" } },
      "odd]": "2",
    });
  });

  test("cannot reach what every object has", () => {
    parseForm("__proto__[polluted]=1&constructor[prototype][polluted]=1");
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
