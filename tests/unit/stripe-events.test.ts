import { randomUUID } from "node:crypto";
import type { Stripe } from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeCharge, makeDispute, makeIntent, makeRefund } from "#dev/fake-stripe/stripe-objects";
import { succeed } from "#domain/result";
import { readStripeEvent, STRIPE_EVENT_TYPES } from "#payments/stripe-event";
import { refundOf, requestFor, startStripeWorld, type StripeWorld } from "../support/node/stripe-world.ts";

let world: StripeWorld;
beforeEach(async () => {
  world = await startStripeWorld();
});
afterEach(() => world.close());

/** An event around an object, dated one second after the epoch; no PaymentIntent is known. */
function readObject(type: string, object: unknown): ReturnType<typeof readStripeEvent> {
  return readStripeEvent({ id: "evt_1", type, created: 1, data: { object } }, async () => succeed(undefined));
}

const seconds = 1_777_636_800;
const intentOf = (metadata: Record<string, string>): Stripe.PaymentIntent =>
  makeIntent({ amount: 4200, currency: "eur", description: null, metadata, createdSeconds: seconds });
const ours = (orderId: string): Record<string, string> => ({ order_id: orderId, tenant_id: randomUUID() });

describe("what Stripe tells of a payment reaches the order it is about", () => {
  test("a payment, with the sum that was received and the currency in our spelling", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request);
    const event = await world.read("payment_intent.succeeded");
    expect(event).toEqual({
      provider: "stripe",
      eventId: expect.stringMatching(/^evt_/),
      type: "payment.succeeded",
      occurredAtMs: expect.any(Number),
      paymentId,
      orderId: request.orderId,
      tenantId: request.tenantId,
      amountCents: 4200,
      currency: "EUR",
      rawType: "payment_intent.succeeded",
    });
    expect(Math.abs(Date.now() - (event.occurredAtMs ?? 0))).toBeLessThan(60_000);
  });

  test("a sum in a currency that Stripe counts otherwise", async () => {
    const request = requestFor({ currency: "ISK", amountCents: 950 });
    await world.pay(request);
    expect(await world.read("payment_intent.succeeded")).toMatchObject({ amountCents: 950, currency: "ISK" });
  });

  test("a declined card, with the bank's reason; the payment stays open for another", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request, "pm_card_chargeDeclinedInsufficientFunds");
    const { orderId } = request;
    expect(await world.read("payment_intent.payment_failed")).toMatchObject({
      type: "payment.failed",
      orderId,
      paymentId,
      amountCents: 4200,
      reason: "insufficient_funds",
    });
    expect(await world.provider.findPayment(paymentId)).toMatchObject({ ok: true, value: { status: "open" } });
  });

  test("a payment that was canceled", async () => {
    const request = requestFor();
    const created = await world.provider.createPayment(request, request.orderId);
    if (created.ok) await world.provider.cancelPayment(created.value.paymentId);
    const { orderId } = request;
    expect(await world.read("payment_intent.canceled")).toMatchObject({ type: "payment.canceled", orderId, amountCents: 4200 });
  });

  test("a refund of ours that is done at once, under our own id", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request);
    const refundId = randomUUID();
    await world.provider.requestRefund(refundOf(paymentId, request), refundId);
    expect(await world.read("refund.created")).toMatchObject({
      type: "refund.succeeded",
      refundId,
      paymentId,
      orderId: request.orderId,
      amountCents: 4200,
      currency: "EUR",
      reason: "paid_twice",
    });
  });

  test("a refund that is done later says nothing before", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request, "pm_card_pendingRefund");
    const refundId = randomUUID();
    await world.provider.requestRefund(refundOf(paymentId, request), refundId);
    expect(await world.read("refund.created")).toMatchObject({ type: "ignored" });
    expect(await world.read("refund.updated")).toMatchObject({ type: "refund.succeeded", refundId, amountCents: 4200 });
  });

  test("a refund that comes to nothing after it was done", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request, "pm_card_refundFail");
    const refundId = randomUUID();
    await world.provider.requestRefund(refundOf(paymentId, request), refundId);
    expect(await world.read("refund.created")).toMatchObject({ type: "refund.succeeded", refundId });
    const reason = "expired_or_canceled_card";
    expect(await world.read("refund.failed")).toMatchObject({ type: "refund.failed", refundId, reason });
  });

  test("a refund that somebody made in the dashboard, of a part, under Stripe's id", async () => {
    const request = requestFor();
    const paymentId = await world.pay(request);
    const made = await world.call("POST", "/v1/refunds", { payment_intent: paymentId, amount: "1200" });
    const refundId = made.body["id"];
    expect(await world.read("refund.created")).toMatchObject({
      type: "refund.succeeded",
      refundId,
      paymentId,
      orderId: request.orderId,
      tenantId: request.tenantId,
      amountCents: 1200,
    });
  });

  test.each([
    ["pm_card_createDispute", "winning_evidence", "dispute.won"],
    ["pm_card_createDispute", "losing_evidence", "dispute.lost"],
    ["pm_card_createDisputeInquiry", "winning_evidence", "dispute.won"],
  ])("a dispute from its opening to its end: %s, %s, %s", async (card, evidence, type) => {
    const request = requestFor();
    const paymentId = await world.pay(request, card);
    const opened = await world.read("charge.dispute.created");
    const { orderId } = request;
    expect(opened).toMatchObject({ type: "dispute.opened", orderId, paymentId, amountCents: 4200, reason: "fraudulent" });
    const disputeId = "disputeId" in opened ? opened.disputeId : undefined;
    expect(disputeId).toMatch(/^du_/);
    await world.call("POST", `/v1/disputes/${disputeId}`, { "evidence[uncategorized_text]": evidence });
    expect(await world.read("charge.dispute.closed")).toMatchObject({ type, disputeId, orderId, paymentId });
  });

  test("money that comes back after a dispute was won", async () => {
    const request = requestFor();
    await world.pay(request, "pm_card_createDispute");
    const { data } = (await world.call("GET", "/v1/disputes")).body as { data: { id: string }[] }; // Stripe's list
    await world.call("POST", `/v1/disputes/${data[0]?.id}`, { "evidence[uncategorized_text]": "winning_evidence" });
    const { orderId } = request;
    expect(await world.read("charge.dispute.funds_reinstated")).toMatchObject({ type: "dispute.won", orderId });
  });
});

describe("what is not ours, or says nothing new, is left alone", () => {
  test.each(["charge.succeeded", "payment_intent.created", "charge.refunded", "charge.dispute.funds_withdrawn"])(
    "%s is ignored, with its time",
    async (type) => {
      const request = requestFor();
      const paymentId = await world.pay(request, "pm_card_createDispute");
      if (type === "charge.refunded") {
        const other = await world.pay(requestFor());
        await world.call("POST", "/v1/refunds", { payment_intent: other });
      }
      expect(paymentId).toMatch(/^pi_/);
      const event = await world.read(type);
      expect(event).toMatchObject({ type: "ignored", rawType: type });
      expect(event.occurredAtMs).toBeGreaterThan(0);
    },
  );

  test.each([
    ["no metadata", {}],
    ["another program's order number", { order_id: "10042" }],
    ["a UUID of another program", { order_id: randomUUID() }],
    ["a tenant that is none", { order_id: randomUUID(), tenant_id: "shop" }],
  ])("a PaymentIntent with %s belongs to somebody else", async (_, metadata) => {
    const object = { ...intentOf(metadata), status: "succeeded" };
    const body = { id: "evt_1", type: "payment_intent.succeeded", created: 1, data: { object } };
    const event = await readStripeEvent(body, () => Promise.reject(new Error("Stripe is not asked for what it just said")));
    expect(event).toMatchObject({ ok: true, value: { type: "ignored", occurredAtMs: 1000 } });
  });

  test("refunds and disputes of somebody else's payments are ignored after a look at the payment", async () => {
    const form = { amount: "500", currency: "eur" };
    const { body } = await world.call("POST", "/v1/payment_intents", form);
    const path = `/v1/payment_intents/${String(body["id"])}/confirm`;
    await world.call("POST", path, { payment_method: "pm_card_createDisputeInquiry" });
    await world.call("POST", "/v1/refunds", { payment_intent: String(body["id"]) });
    expect(await world.read("charge.dispute.created")).toMatchObject({ type: "ignored" });
    expect(await world.read("refund.created")).toMatchObject({ type: "ignored" });
  });

  test("a dispute of a payment that Stripe no longer knows is ignored", async () => {
    const charge = makeCharge(intentOf(ours(randomUUID())), seconds, null);
    const event = await readObject("charge.dispute.created", makeDispute(charge, "needs_response", seconds));
    expect(event).toMatchObject({ ok: true, value: { type: "ignored" } });
  });

  test("a dispute while Stripe cannot be asked is not lost: it is to be delivered again", async () => {
    await world.pay(requestFor(), "pm_card_createDispute");
    const { body, headers } = await world.waitFor("charge.dispute.created");
    await world.close();
    const refused = await world.provider.verifyWebhook(body, headers, Date.now());
    expect(refused).toMatchObject({ ok: false, failure: { code: "payment_provider_down", reason: "unreachable" } });
    world = await startStripeWorld();
  });
});

describe("every state of Stripe's has one meaning here", () => {
  test.each([
    ["charge.dispute.created", "needs_response", "dispute.opened"],
    ["charge.dispute.created", "warning_under_review", "dispute.opened"],
    ["charge.dispute.created", "prevented", "ignored"],
    ["charge.dispute.created", "lost", "dispute.lost"],
    ["charge.dispute.closed", "prevented", "dispute.won"],
    ["charge.dispute.closed", "warning_closed", "dispute.won"],
    ["charge.dispute.closed", "under_review", "ignored"],
    ["charge.dispute.funds_reinstated", "under_review", "ignored"],
    ["charge.dispute.funds_reinstated", "won", "dispute.won"],
  ])("%s with status %s is %s", async (type, status, meaning) => {
    const intent = intentOf(ours(randomUUID()));
    const dispute = { ...makeDispute(makeCharge(intent, seconds, null), "needs_response", seconds), status };
    const found = async (): Promise<{ ok: true; value: Stripe.PaymentIntent }> => succeed(intent);
    const event = await readStripeEvent({ id: "evt_1", type, created: 1, data: { object: dispute } }, found);
    expect(event).toMatchObject({ ok: true, value: { type: meaning } });
  });

  test.each([
    ["refund.created", "succeeded", "refund.succeeded"],
    ["refund.created", "pending", "ignored"],
    ["refund.updated", "requires_action", "ignored"],
    ["refund.updated", "canceled", "refund.failed"],
    ["refund.failed", "failed", "refund.failed"],
  ])("%s with status %s is %s", async (type, status, meaning) => {
    const charge = makeCharge(intentOf({}), seconds, null);
    const metadata = { order_id: randomUUID(), refund_id: randomUUID() };
    const made = makeRefund({ charge, amount: 1, metadata, reason: null, status: "pending", createdSeconds: seconds });
    expect(await readObject(type, { ...made, status })).toMatchObject({ ok: true, value: { type: meaning } });
  });

  test.each([
    ["payment_intent.succeeded", 4100],
    ["payment_intent.canceled", 4200],
  ])("of %s the sum is what was received, or what was asked for while nothing was: %i", async (type, amountCents) => {
    const object = { ...intentOf(ours(randomUUID())), amount_received: 4100 };
    expect(await readObject(type, object)).toMatchObject({ ok: true, value: { amountCents } });
  });

  test("an event whose payment was expanded into it is read as well", async () => {
    const intent = intentOf(ours(randomUUID()));
    const charge = makeCharge(intent, seconds, null);
    const metadata = { order_id: randomUUID(), refund_id: randomUUID() };
    const made = makeRefund({ charge, amount: 1, metadata, reason: null, status: "succeeded", createdSeconds: seconds });
    const event = await readObject("refund.created", { ...made, payment_intent: intent });
    expect(event).toMatchObject({ ok: true, value: { paymentId: intent.id } });
  });
});

describe("a body that is no event is told so, and never throws", () => {
  test.each([
    ["nothing", undefined, ["", ""]],
    ["a list", [], [""]],
    ["an event without a type", { id: "evt_1" }, ["type"]],
    ["a payment without its object", { id: "evt_1", type: "payment_intent.succeeded", created: 1 }, ["data"]],
    [
      "a payment of a negative sum",
      { id: "evt_1", type: "payment_intent.canceled", created: 1, data: { object: { ...intentOf({}), amount: -1 } } },
      ["data.object.amount"],
    ],
    [
      "a part of a króna",
      {
        id: "evt_1",
        type: "payment_intent.canceled",
        created: 1,
        data: { object: { ...intentOf(ours(randomUUID())), currency: "isk", amount: 550 } },
      },
      ["data.object.amount"],
    ],
  ])("%s", async (_, body, paths) => {
    const read = await readStripeEvent(body, async () => succeed(undefined));
    expect(read).toMatchObject({ ok: false, failure: { code: "webhook_malformed" } });
    if (paths[0] !== "") expect(read).toMatchObject({ failure: { paths } });
  });

  test("one of a type that is not ours needs no more than its name", async () => {
    const read = await readStripeEvent({ id: "evt_2", type: "v1.billing.meter.error_report_triggered" }, async () =>
      succeed(undefined),
    );
    expect(read).toMatchObject({ ok: true, value: { type: "ignored", eventId: "evt_2", occurredAtMs: null } });
  });
});

test("each type that is listened to is one that the package knows", () => {
  const types: readonly Stripe.Event.Type[] = STRIPE_EVENT_TYPES;
  expect(types.length).toBeGreaterThan(8);
});
