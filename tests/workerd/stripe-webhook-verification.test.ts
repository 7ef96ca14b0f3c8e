import { describe, expect, test, vi } from "vitest";
import { StripeProvider } from "#payments/stripe-provider";
import { CircuitBreakers } from "#platform/circuit-breakers";

/** Stripe's rules of signing, in the runtime that is deployed: its WebCrypto, and the package without Node. */
const NOW_MS = Date.parse("2026-05-01T12:00:00.500Z");
const NOW_SECONDS = Math.floor(NOW_MS / 1000);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const metadata = { order_id: "0a1b2c3d-1111-8222-9333-444455556666", tenant_id: "0a1b2c3d-1111-4222-9333-444455556677" };
const intent = { id: "pi_1", status: "succeeded", amount: 4200, amount_received: 4200, currency: "eur", metadata };
const EVENT = { id: "evt_1", type: "payment_intent.succeeded", created: NOW_SECONDS - 5, data: { object: intent } };
const BODY = JSON.stringify(EVENT, null, 2);

/** As Stripe's dashboard makes them: letters and digits, and the whole text is the key. */
function makeSecret(): string {
  return `whsec_${Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function makeProvider(...webhookSecrets: readonly string[]): StripeProvider {
  const secretKey = "no call is made";
  return new StripeProvider({ secretKey, apiBase: "https://stripe.test", webhookSecrets, breakers: new CircuitBreakers() });
}

/** A `v1` signature, made with the runtime's own HMAC so that the test does not lean on the package that verifies. */
async function sign(secret: string, body: Uint8Array, atSeconds: number | string = NOW_SECONDS): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encode(secret), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, Uint8Array.of(...encode(`${atSeconds}.`), ...body));
  return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function verify(provider: StripeProvider, body: string | Uint8Array, header: string | undefined): Promise<unknown> {
  const headers = new Headers(header === undefined ? {} : { "stripe-signature": header });
  return provider.verifyWebhook(typeof body === "string" ? encode(body) : body, headers, NOW_MS);
}

const paid = { ok: true, value: { type: "payment.succeeded", orderId: metadata.order_id, amountCents: 4200, currency: "EUR" } };
const refused = (reason: string): unknown => ({ ok: false, failure: { code: "webhook_signature_invalid", reason } });
const malformed = { ok: false, failure: { code: "webhook_malformed" } };
const wrong = "0".repeat(64);

describe("a delivery is believed when Stripe signed it", () => {
  test("with the whole secret as the key, on the bytes as they came", async () => {
    const secret = makeSecret();
    expect(await verify(makeProvider(secret), BODY, `t=${NOW_SECONDS},v1=${await sign(secret, encode(BODY))}`)).toMatchObject(
      paid,
    );
  });

  test("whichever secret of the ring signed it, and no other", async () => {
    const [newest, old, strange] = [makeSecret(), makeSecret(), makeSecret()];
    const provider = makeProvider(newest, old);
    for (const secret of [newest, old]) {
      expect(await verify(provider, BODY, `t=${NOW_SECONDS},v1=${await sign(secret, encode(BODY))}`)).toMatchObject(paid);
    }
    const forged = `t=${NOW_SECONDS},v1=${await sign(strange, encode(BODY))}`;
    expect(await verify(provider, BODY, forged)).toEqual(refused("no_matching_signature"));
    expect(await verify(makeProvider(), BODY, forged)).toEqual(refused("no_matching_signature"));
  });

  test("when one v1 among bad ones and a v0 is good", async () => {
    const secret = makeSecret();
    const good = await sign(secret, encode(BODY));
    const header = `t=${NOW_SECONDS},v1=${wrong},v0=${wrong},v1=short,v1=${good},v1=${wrong}`;
    expect(await verify(makeProvider(secret), BODY, header)).toMatchObject(paid);
  });

  test.each([300, 299, -299, -300])("when it was signed %i seconds ahead", async (ahead) => {
    const secret = makeSecret();
    const at = NOW_SECONDS + ahead;
    expect(await verify(makeProvider(secret), BODY, `t=${at},v1=${await sign(secret, encode(BODY), at)}`)).toMatchObject(paid);
  });
});

describe("a delivery is refused", () => {
  test.each([301, -301, 86_400, -86_400])("when it was signed %i seconds ahead, good as its signature is", async (ahead) => {
    const secret = makeSecret();
    const at = NOW_SECONDS + ahead;
    const header = `t=${at},v1=${await sign(secret, encode(BODY), at)}`;
    expect(await verify(makeProvider(secret), BODY, header)).toEqual(refused("time_out_of_tolerance"));
  });

  test("when only the v0 is good", async () => {
    const secret = makeSecret();
    const header = `t=${NOW_SECONDS},v0=${await sign(secret, encode(BODY))}`;
    expect(await verify(makeProvider(secret), BODY, header)).toEqual(refused("no_matching_signature"));
  });

  test.each<[string, (body: string) => string]>([
    ["one byte more", (body) => `${body} `],
    ["another sum", (body) => body.replace("4200", "1")],
    ["written anew by a JSON parser", (body) => JSON.stringify(JSON.parse(body))],
    ["nothing", () => ""],
  ])("when its body is no longer what was signed: %s", async (_, change) => {
    const secret = makeSecret();
    const header = `t=${NOW_SECONDS},v1=${await sign(secret, encode(BODY))}`;
    expect(await verify(makeProvider(secret), change(BODY), header)).toEqual(refused("no_matching_signature"));
  });

  test("when bytes that are not UTF-8 stand where the signed text has replacement characters", async () => {
    const secret = makeSecret();
    const signed = encode(BODY.replace("pi_1", "pi_\uFFFD"));
    const at = signed.indexOf(0xef);
    const swapped = Uint8Array.of(...signed.slice(0, at), 0xff, ...signed.slice(at + 3));
    const header = `t=${NOW_SECONDS},v1=${await sign(secret, signed)}`;
    expect(await verify(makeProvider(secret), swapped, header)).toEqual(refused("no_matching_signature"));
  });

  test.each<[string, (good: string) => string | undefined, string]>([
    ["no header", () => undefined, "header_missing"],
    ["an empty header", () => "", "header_missing"],
    ["no time", (good) => `v1=${good}`, "header_malformed"],
    ["two times", (good) => `t=1,t=${NOW_SECONDS},v1=${good}`, "header_malformed"],
    ["a time that is no number", (good) => `t=now,v1=${good}`, "header_malformed"],
    ["a time with a sign", (good) => `t=+${NOW_SECONDS},v1=${good}`, "header_malformed"],
    ["a time with a fraction", (good) => `t=${NOW_SECONDS}.0,v1=${good}`, "header_malformed"],
    ["no signature", () => `t=${NOW_SECONDS}`, "no_matching_signature"],
    ["a signature in capitals", (good) => `t=${NOW_SECONDS},v1=${good.toUpperCase()}`, "no_matching_signature"],
    ["a signature with its last digit cut off", (good) => `t=${NOW_SECONDS},v1=${good.slice(0, -1)}`, "no_matching_signature"],
    ["something else altogether", () => "hello", "header_malformed"],
  ])("with %s", async (_, headerOf, reason) => {
    const secret = makeSecret();
    const header = headerOf(await sign(secret, encode(BODY)));
    expect(await verify(makeProvider(secret), BODY, header)).toEqual(refused(reason));
  });

  test("with a header of 100 KB, before anything is computed", async () => {
    const secret = makeSecret();
    const header = `t=${NOW_SECONDS},v1=${await sign(secret, encode(BODY))}${`,v1=${wrong}`.repeat(1500)}`;
    expect(header.length).toBeGreaterThan(100_000);
    const computed = [vi.spyOn(crypto.subtle, "importKey"), vi.spyOn(crypto.subtle, "sign"), vi.spyOn(crypto.subtle, "verify")];
    expect(await verify(makeProvider(secret), BODY, header)).toEqual(refused("header_malformed"));
    for (const spy of computed) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe("a body that Stripe signed and that is no event is told apart from a forgery, and never throws", () => {
  const nested = `{"id":"evt_1","type":"payment_intent.succeeded","created":1,"data":{"object":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
  test.each<[string, Uint8Array]>([
    ["empty", new Uint8Array(0)],
    ["cut off", encode(BODY.slice(0, 80))],
    ["not JSON", encode("hello")],
    ["null", encode("null")],
    ["a list", encode("[]")],
    ["with a byte order mark", encode(`\uFEFF${BODY}`)],
    ["not UTF-8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
    ["nested 20,000 deep", encode(nested)],
    ["of another shape", encode(JSON.stringify({ ...EVENT, data: { object: { ...intent, amount_received: "4200" } } }))],
  ])("%s", async (_, body) => {
    const secret = makeSecret();
    expect(await verify(makeProvider(secret), body, `t=${NOW_SECONDS},v1=${await sign(secret, body)}`)).toMatchObject(
      malformed,
    );
    expect(await verify(makeProvider(makeSecret()), body, `t=${NOW_SECONDS},v1=${await sign(secret, body)}`)).toEqual(
      refused("no_matching_signature"),
    );
  });

  test.each([
    ["one of Stripe's thin events", { id: "evt_2", object: "v2.core.event", type: "v1.billing.meter.no_meter_found" }],
    ["an event of a type that is not ours", { ...EVENT, type: "invoice.paid" }],
  ])("but %s is acknowledged and ignored", async (_, event) => {
    const secret = makeSecret();
    const body = encode(JSON.stringify(event));
    const verified = await verify(makeProvider(secret), body, `t=${NOW_SECONDS},v1=${await sign(secret, body)}`);
    expect(verified).toMatchObject({ ok: true, value: { type: "ignored", rawType: event.type } });
  });
});
