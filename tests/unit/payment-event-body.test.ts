import { describe, expect, test } from "vitest";
import { PAYMENT_EVENT_TYPES } from "#payments/payment-provider";
import { parseStandardPaymentEvent } from "#payments/standard-payment-event";

const ORDER_ID = "0a1b2c3d-1111-8222-9333-444455556666";
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const genuine = {
  type: "payment.succeeded",
  timestamp: "2026-05-01T12:00:00.250Z",
  data: { paymentId: "pay_1", orderId: ORDER_ID, amountCents: 4200, currency: "EUR" },
};

function parse(body: unknown): ReturnType<typeof parseStandardPaymentEvent> {
  return parseStandardPaymentEvent(encode(JSON.stringify(body)), "evt_1");
}

describe("an event is read as it was sent", () => {
  test.each(PAYMENT_EVENT_TYPES)("reads %s with its ids, sum and time", (type) => {
    expect(parse({ ...genuine, type, data: { ...genuine.data, reason: "card_declined" } })).toEqual({
      ok: true,
      value: {
        provider: "standard",
        eventId: "evt_1",
        type,
        rawType: type,
        occurredAtMs: Date.parse("2026-05-01T12:00:00.250Z"),
        paymentId: "pay_1",
        orderId: ORDER_ID,
        amountCents: 4200,
        currency: "EUR",
        reason: "card_declined",
      },
    });
  });

  test("still pays when the provider adds fields of its own", () => {
    const body = { ...genuine, apiVersion: 7, data: { ...genuine.data, card: { last4: "0000" } } };
    expect(parse(body)).toEqual(parse(genuine));
    expect(parse(body).ok).toBe(true);
  });

  test("takes null for what there is none of", () => {
    const data = { ...genuine.data, reason: null, refundId: null, disputeId: null };
    expect(parse({ ...genuine, data })).toEqual(parse(genuine));
    expect(parse(genuine).ok).toBe(true);
  });

  test.each([
    ["a currency in small letters", { ...genuine, data: { ...genuine.data, currency: "eur" } }],
    ["a time with its offset from UTC", { ...genuine, timestamp: "2026-05-01T14:00:00.25+02:00" }],
  ])("pays for %s, which says the same", (_name, body) => {
    expect(parse(body)).toEqual(parse(genuine));
    expect(parse(body).ok).toBe(true);
  });

  test.each([{ type: "payout.paid" }, { type: "ping", data: null }, { ...genuine, type: "PAYMENT.SUCCEEDED" }])(
    "sets aside an event of a type it does not know: %j",
    (body) => {
      const value = { provider: "standard", eventId: "evt_1", type: "ignored", occurredAtMs: null, rawType: body.type };
      expect(parse(body)).toEqual({ ok: true, value });
    },
  );
});

describe("a body that is no payment event is refused, and never acted upon", () => {
  const withData = (change: Record<string, unknown>): unknown => ({ ...genuine, data: { ...genuine.data, ...change } });

  test.each([
    ["a negative amount", withData({ amountCents: -1 }), "data.amountCents"],
    ["a fraction of a cent", withData({ amountCents: 1.5 }), "data.amountCents"],
    ["an amount past exact integers", withData({ amountCents: 2 ** 53 }), "data.amountCents"],
    ["an amount as text", withData({ amountCents: "4200" }), "data.amountCents"],
    ["no amount", withData({ amountCents: undefined }), "data.amountCents"],
    ["a currency that is no code", withData({ currency: "€" }), "data.currency"],
    ["an order id that is no UUID", withData({ orderId: "42" }), "data.orderId"],
    ["an order id in capitals", withData({ orderId: ORDER_ID.toUpperCase() }), "data.orderId"],
    ["an empty payment id", withData({ paymentId: "" }), "data.paymentId"],
    ["a reason that is an object", withData({ reason: {} }), "data.reason"],
    ["no data", { ...genuine, data: undefined }, "data"],
    ["a time that is a number", { ...genuine, timestamp: 1777636800 }, "timestamp"],
    ["a time without a zone", { ...genuine, timestamp: "2026-05-01T12:00:00" }, "timestamp"],
    ["a type that is a number", { ...genuine, type: 1 }, "type"],
    ["no type", {}, "type"],
    ["an array", [genuine], ""],
    ["a number", 7, ""],
    ["null", null, ""],
  ])("refuses %s", (_name, body, path) => {
    expect(parse(body)).toEqual({ ok: false, failure: { code: "webhook_malformed", paths: [path] } });
  });

  test.each([
    ["nothing", new Uint8Array(0)],
    ["text that is not JSON", encode("paid, thank you")],
    ["JSON cut off in the middle", encode(JSON.stringify(genuine).slice(0, -9))],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22)],
    ["a character cut off in the middle", encode('"é').slice(0, 2)],
    ["60,000 open brackets", encode("[".repeat(60_000))],
    ["60,000 brackets, closed", encode("[".repeat(30_000) + "]".repeat(30_000))],
    ["objects nested 10,000 deep", encode('{"data":'.repeat(10_000) + "1" + "}".repeat(10_000))],
  ])("refuses %s without throwing", (_name, bytes) => {
    const result = parseStandardPaymentEvent(bytes, "evt_1");
    expect(result).toMatchObject({ ok: false, failure: { code: "webhook_malformed" } });
  });

  test("is not led astray by __proto__ in the body", () => {
    const text = JSON.stringify(genuine).replace('"data":{', '"data":{"__proto__":{"reason":"x"},');
    const result = parseStandardPaymentEvent(encode(text), "evt_1");
    expect(result).toEqual(parse(genuine));
    expect(result.ok && "reason" in result.value).toBe(false);
  });
});
