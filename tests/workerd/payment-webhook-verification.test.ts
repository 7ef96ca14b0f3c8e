import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { StandardProvider } from "#payments/standard-provider";
import { verifyStandardWebhook } from "#payments/standard-webhook";
import { CircuitBreakers } from "#platform/circuit-breakers";

/**
 * The cases of tests/unit/payment-webhook-signature.test.ts that lean on the runtime, in the runtime that is deployed: its
 * TextDecoder, Headers and base64, and the package without Node's Buffer.
 */
const NOW_MS = Date.parse("2026-05-01T12:00:00.500Z");
const SIGNED_AT = new Date(Math.floor(NOW_MS / 1000) * 1000);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const event = {
  type: "payment.succeeded",
  timestamp: "2026-05-01T11:59:59Z",
  data: { paymentId: "pay_1", orderId: "0a1b2c3d-1111-8222-9333-444455556666", amountCents: 4200, currency: "EUR" },
};

function createSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}

function createProvider(webhookSecrets: readonly string[]): StandardProvider {
  return new StandardProvider({ baseUrl: "http://payments.test", webhookSecrets, breakers: new CircuitBreakers() });
}

/** A request as the router gets it, signed by the reference package. */
function createDelivery(secret: string, text: string, signedAt = SIGNED_AT): Request {
  return new Request("https://tickets.test/api/v1/webhooks/payments/standard", {
    method: "POST",
    headers: {
      "webhook-id": "evt_1",
      "webhook-timestamp": String(signedAt.getTime() / 1000),
      "webhook-signature": new Webhook(secret).sign("evt_1", signedAt, text),
    },
    body: text,
  });
}

async function verify(provider: StandardProvider, request: Request): Promise<unknown> {
  return provider.verifyWebhook(new Uint8Array(await request.arrayBuffer()), request.headers, NOW_MS);
}

/** HMAC by the runtime's own WebCrypto, for bodies that the package can't sign. */
async function signBytes(secret: string, body: Uint8Array): Promise<string> {
  const keyBytes = Uint8Array.from(atob(secret.slice("whsec_".length)), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", keyBytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const content = Uint8Array.of(...encode(`evt_1.${SIGNED_AT.getTime() / 1000}.`), ...body);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, content));
  return `v1,${btoa(String.fromCharCode(...mac))}`;
}

const unsigned = { ok: false, failure: { code: "webhook_signature_invalid" } };
const malformed = { ok: false, failure: { code: "webhook_malformed" } };

describe("in the deployed runtime, a payment is believed only when its provider signed it", () => {
  test("accepts the example that Standard Webhooks publishes", () => {
    const headers = new Headers({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
    const body = encode('{"test": 2432232314}');
    const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];
    expect(verifyStandardWebhook(secrets, body, headers, 1614265330_000).ok).toBe(true);
  });

  test("reads a signed event, whichever secret of the ring signed it", async () => {
    const [newest, old] = [createSecret(), createSecret()];
    const provider = createProvider([newest, old]);
    for (const secret of [newest, old]) {
      const result = await verify(provider, createDelivery(secret, JSON.stringify(event)));
      expect(result).toMatchObject({ ok: true, value: { type: "payment.succeeded", eventId: "evt_1", amountCents: 4200 } });
    }
    expect(await verify(provider, createDelivery(createSecret(), JSON.stringify(event)))).toMatchObject(unsigned);
  });

  test.each([
    [-301, false],
    [-300, true],
    [300, true],
    [301, false],
  ])("with a clock %i seconds apart: accepted is %s", async (offsetSeconds, isAccepted) => {
    const secret = createSecret();
    const signedAt = new Date(SIGNED_AT.getTime() + offsetSeconds * 1000);
    const result = await verify(createProvider([secret]), createDelivery(secret, JSON.stringify(event), signedAt));
    expect(result).toMatchObject({ ok: isAccepted });
  });

  test("finds a good signature among others of the same header, and skips versions it does not know", async () => {
    const [newest, old] = [createSecret(), createSecret()];
    const provider = createProvider([newest, old]);
    const text = JSON.stringify(event);
    const sign = (secret: string): string => new Webhook(secret).sign("evt_1", SIGNED_AT, text);
    const { headers } = createDelivery(old, text);
    const verdictOf = async (header: string): Promise<boolean> => {
      const changed = new Headers(headers);
      changed.set("webhook-signature", header);
      return (await provider.verifyWebhook(encode(text), changed, NOW_MS)).ok;
    };
    const other = createSecret();
    expect(await verdictOf(`v1a,AAAA ${sign(other)} ${sign(old)}`)).toBe(true);
    expect(await verdictOf(`${sign(old).replace("v1,", "v2,")} ${sign(other)}`)).toBe(false);
    expect(await verdictOf(`${"v1,AAAA ".repeat(12_500)}${sign(old)}`)).toBe(false);
  });

  test("refuses changed bytes and a missing signature with 401's code, before it reads the body", async () => {
    const secret = createSecret();
    const provider = createProvider([secret]);
    const { headers } = createDelivery(secret, JSON.stringify(event));
    const changed = encode(JSON.stringify({ ...event, data: { ...event.data, amountCents: 1 } }));
    expect(await provider.verifyWebhook(changed, headers, NOW_MS)).toMatchObject(unsigned);
    expect(await provider.verifyWebhook(encode("no event"), new Headers(), NOW_MS)).toMatchObject(unsigned);
  });

  test("refuses signed bodies that are no event with 400's code", async () => {
    const secret = createSecret();
    const provider = createProvider([secret]);
    for (const text of ["", "paid", "{", "[".repeat(60_000), JSON.stringify({ ...event, data: {} })]) {
      expect(await verify(provider, createDelivery(secret, text))).toMatchObject(malformed);
    }
  });

  test("tells a signed body that is not UTF-8 (400) from an unsigned one (401)", async () => {
    const secret = createSecret();
    const provider = createProvider([secret]);
    const body = Uint8Array.of(0x22, 0xff, 0x22);
    const { headers } = createDelivery(secret, "");
    expect(await provider.verifyWebhook(body, headers, NOW_MS)).toMatchObject(unsigned);
    const signed = new Headers(headers);
    signed.set("webhook-signature", await signBytes(secret, body));
    expect(await provider.verifyWebhook(body, signed, NOW_MS)).toMatchObject(malformed);
  });

  test("keeps a byte order mark in what is verified, and calls it no event", async () => {
    const secret = createSecret();
    const delivery = createDelivery(secret, `\uFEFF${JSON.stringify(event)}`);
    expect(await verify(createProvider([secret]), delivery)).toMatchObject(malformed);
  });
});
