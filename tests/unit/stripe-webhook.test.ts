import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { signStripeWebhook } from "#dev/fake-stripe/webhook-signature";
import { makeIntent } from "#dev/fake-stripe/stripe-objects";
import { generateWebhookSecret } from "#dev/secrets";
import { succeed } from "#domain/result";
import { readStripeEvent } from "#payments/stripe-event";
import { verifyStripeWebhook } from "#payments/stripe-webhook";

const NOW_MS = 1_777_636_800_500;
const SECRET = generateWebhookSecret();

const intent = makeIntent({ amount: 4200, currency: "eur", description: "Łódź 🎫", metadata: {}, createdSeconds: 1 });
const BODY = JSON.stringify({ id: "evt_1", type: "payment_intent.succeeded", created: 1, data: { object: intent } });
const bytes = new TextEncoder().encode(BODY);
const HEADER = signStripeWebhook(BODY, [generateWebhookSecret(), SECRET], NOW_MS);

function verify(body: Uint8Array, header: string): ReturnType<typeof verifyStripeWebhook> {
  return verifyStripeWebhook([SECRET], body, new Headers({ "stripe-signature": header }), NOW_MS);
}

/** A header over bytes that may be no text. */
function signBytes(body: Uint8Array): string {
  const seconds = Math.floor(NOW_MS / 1000);
  return `t=${seconds},v1=${createHmac("sha256", SECRET).update(`${seconds}.`).update(body).digest("hex")}`;
}

/** Text that a header may hold, mostly in the shape of Stripe's. */
const headerText = fc.oneof(
  fc.string({ unit: "grapheme-ascii" }),
  fc
    .array(fc.tuple(fc.constantFrom("t", "v1", "v0", "", "__proto__"), fc.stringMatching(/^[0-9a-f]{0,70}$/)), { maxLength: 8 })
    .map((parts) => parts.map(([name, value]) => `${name}=${value}`).join(",")),
  fc.stringMatching(/^[0-9a-f]{64}$/).map((signature) => `t=${Math.floor(NOW_MS / 1000)},v1=${signature}`),
);

describe("nothing that a stranger sends is believed, and nothing throws", () => {
  test("the delivery that the others are made from is genuine", async () => {
    expect(await verify(bytes, HEADER)).toMatchObject({ ok: true, value: { id: "evt_1" } });
  });

  test("with any header and any bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), fc.constant(bytes)), headerText, async (body, header) => {
        expect(await verify(body, header)).toMatchObject({ ok: false, failure: { code: "webhook_signature_invalid" } });
      }),
      { numRuns: 300 },
    );
  });

  test("with any one byte of the body changed", async () => {
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(change, async ([at, difference]) => {
        const changed = bytes.map((byte, index) => (index === at ? byte ^ difference : byte));
        expect(await verify(changed, HEADER)).toMatchObject({ ok: false, failure: { reason: "no_matching_signature" } });
      }),
    );
  });

  test("a genuine body cut off anywhere is no event, also in the middle of a letter", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (length) => {
        const cut = bytes.slice(0, length);
        expect(await verify(cut, signBytes(cut))).toMatchObject({ ok: false, failure: { code: "webhook_malformed" } });
      }),
    );
  });

  test("any JSON around any object is an event, ignored, or told to be none", async () => {
    const types = fc.constantFrom("payment_intent.succeeded", "refund.created", "charge.dispute.closed", "invoice.paid");
    const body = fc.record(
      { id: fc.string(), type: types, created: fc.jsonValue(), data: fc.jsonValue() },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, fc.jsonValue()), async (event) => {
        const read = await readStripeEvent(event, async () => succeed(undefined));
        expect(read.ok ? read.value.type : read.failure.code).toMatch(/^(ignored|webhook_malformed)$/);
      }),
    );
  });
});
