import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { generateWebhookSecret } from "#dev/secrets";
import { verifyStandardWebhook } from "#payments/standard-webhook";

const NOW_MS = Date.parse("2026-05-01T12:00:00.500Z");
const NOW_SECONDS = Math.floor(NOW_MS / 1000);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Signs with Node's own HMAC, so that these tests do not lean on the package that verifies. */
function sign(secret: string, body: Uint8Array, atSeconds = NOW_SECONDS, id = "evt_1"): string {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${atSeconds}.`).update(body).digest("base64")}`;
}

function headersOf(signature: string, atSeconds: number | string = NOW_SECONDS, id = "evt_1"): Headers {
  return new Headers({ "webhook-id": id, "webhook-timestamp": String(atSeconds), "webhook-signature": signature });
}

/** What a caller sees of a refusal: its code and the reason for the log. */
function refusal(reason: string): unknown {
  return { ok: false, failure: { code: "webhook_signature_invalid", reason } };
}

describe("a genuine delivery is accepted", () => {
  test("accepts the example that Standard Webhooks publishes", () => {
    const headers = headersOf("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 1614265330, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    const body = encode('{"test": 2432232314}');
    const result = verifyStandardWebhook(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], body, headers, 1614265330_000);
    expect(result).toEqual({
      ok: true,
      value: { webhookId: "msg_p5jXN8AQM9LWM0D4loKWxJek", signedAtMs: 1614265330_000 },
    });
  });

  test.each([
    ["plain", encode('{"a":1}')],
    ["empty, as for a GET", new Uint8Array(0)],
    ["with text of several bytes a character", encode('{"name":"Łódź 🎫"}')],
    ["with a byte order mark", encode('\uFEFF{"a":1}')],
    ["that is not UTF-8", Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)],
  ])("accepts a body %s", (_name, body) => {
    const secret = generateWebhookSecret();
    expect(verifyStandardWebhook([secret], body, headersOf(sign(secret, body)), NOW_MS).ok).toBe(true);
  });

  test.each([299, 300])("accepts a delivery signed %i seconds ago or ahead", (offsetSeconds) => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    for (const atSeconds of [NOW_SECONDS - offsetSeconds, NOW_SECONDS + offsetSeconds]) {
      const headers = headersOf(sign(secret, body, atSeconds), atSeconds);
      expect(verifyStandardWebhook([secret], body, headers, NOW_MS).ok).toBe(true);
    }
  });

  test("accepts every secret in the ring while keys are rotated, and none that was taken out", () => {
    const [newest, old, removed] = [generateWebhookSecret(), generateWebhookSecret(), generateWebhookSecret()];
    const body = encode("{}");
    const verify = (secret: string): boolean =>
      verifyStandardWebhook([newest, old], body, headersOf(sign(secret, body)), NOW_MS).ok;
    expect([newest, old, removed].map(verify)).toEqual([true, true, false]);
  });

  test("finds the right signature among several of one header", () => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const others = [sign(generateWebhookSecret(), body), "v1a,bm90IHRoaXMga2luZA==", "v1", ",", ""];
    const header = [...others, sign(secret, body)].join(" ");
    expect(verifyStandardWebhook([secret], body, headersOf(header), NOW_MS).ok).toBe(true);
  });
});

describe("a forged, changed or stale delivery is refused", () => {
  test("refuses a body with any one byte changed", () => {
    const secret = generateWebhookSecret();
    const body = encode('{"amountCents":100}');
    const headers = headersOf(sign(secret, body));
    for (let index = 0; index < body.length; index += 1) {
      for (const mask of [0x01, 0x80]) {
        const changed = body.map((byte, at) => (at === index ? byte ^ mask : byte));
        expect(verifyStandardWebhook([secret], changed, headers, NOW_MS)).toEqual(refusal("no_matching_signature"));
      }
    }
  });

  test("refuses a body that was parsed and written again, though it says the same", () => {
    const secret = generateWebhookSecret();
    const sent = '{ "amountCents": 100 }';
    const rewritten = encode(JSON.stringify(JSON.parse(sent)));
    const headers = headersOf(sign(secret, encode(sent)));
    expect(verifyStandardWebhook([secret], rewritten, headers, NOW_MS)).toEqual(refusal("no_matching_signature"));
  });

  test("never takes two bodies for one because both hold bytes that are no text", () => {
    const secret = generateWebhookSecret();
    const headers = headersOf(sign(secret, Uint8Array.of(0xff)));
    const result = verifyStandardWebhook([secret], Uint8Array.of(0xfe), headers, NOW_MS);
    expect(result).toEqual(refusal("no_matching_signature"));
  });

  test.each([-301, 301])("refuses a delivery signed %i seconds from now", (offsetSeconds) => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const atSeconds = NOW_SECONDS + offsetSeconds;
    const headers = headersOf(sign(secret, body, atSeconds), atSeconds);
    expect(verifyStandardWebhook([secret], body, headers, NOW_MS)).toEqual(refusal("time_out_of_tolerance"));
  });

  test("refuses a genuine signature under another id or another time", () => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const signature = sign(secret, body);
    for (const headers of [headersOf(signature, NOW_SECONDS, "evt_2"), headersOf(signature, NOW_SECONDS + 1)]) {
      expect(verifyStandardWebhook([secret], body, headers, NOW_MS)).toEqual(refusal("no_matching_signature"));
    }
  });

  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("refuses a delivery without %s", (name) => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const headers = headersOf(sign(secret, body));
    headers.delete(name);
    expect(verifyStandardWebhook([secret], body, headers, NOW_MS)).toEqual(refusal("header_missing"));
  });

  test.each(["0x6", "1e9", "-1", "NaN", `${NOW_SECONDS}.5`, `0${NOW_SECONDS}`, `${NOW_SECONDS}abc`, "9".repeat(400)])(
    "refuses the timestamp %s",
    (timestamp) => {
      const secret = generateWebhookSecret();
      const body = encode("{}");
      const headers = headersOf(sign(secret, body), timestamp);
      expect(verifyStandardWebhook([secret], body, headers, NOW_MS)).toEqual(refusal("header_malformed"));
    },
  );

  test("refuses an id with a full stop, under which one signature would fit two readings", () => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const id = `evt.${NOW_SECONDS}`;
    const headers = headersOf(sign(secret, body, NOW_SECONDS, id), NOW_SECONDS, id);
    expect(verifyStandardWebhook([secret], body, headers, NOW_MS)).toEqual(refusal("header_malformed"));
  });

  test("refuses a header of 100 KB without reading its thousands of signatures", () => {
    const secret = generateWebhookSecret();
    const body = encode("{}");
    const header = `${"v1,AAAA ".repeat(12_500)}${sign(secret, body)}`;
    expect(verifyStandardWebhook([secret], body, headersOf(header), NOW_MS)).toEqual(refusal("header_malformed"));
  });

  test.each([
    ["of other versions alone", "v1a,bm90IHRoaXMga2luZA== v2,AAAA"],
    ["that are no base64 of 32 bytes", `v1,${"A".repeat(44)} v1,${"=".repeat(44)} v1,`],
    ["in a header of another form", `v1=${"A".repeat(43)}=`],
  ])("never hashes a body for signatures %s", (_name, header) => {
    // A secret that cannot be decoded throws as soon as anything is hashed with it.
    expect(() => verifyStandardWebhook(["whsec_!"], encode("{}"), headersOf(`v1,${"A".repeat(43)}=`), NOW_MS)).toThrow();
    const result = verifyStandardWebhook(["whsec_!"], encode("{}"), headersOf(header), NOW_MS);
    expect(result).toEqual(refusal("no_matching_signature"));
  });

  test("hashes a body once for each secret, however many signatures are presented", () => {
    const secrets = [generateWebhookSecret(), generateWebhookSecret(), generateWebhookSecret()];
    const body = encode("{}");
    let triedCount = 0;
    const counted: readonly string[] = {
      ...secrets,
      *[Symbol.iterator]() {
        for (const secret of secrets) {
          triedCount += 1;
          yield secret;
        }
      },
    } as unknown as readonly string[]; // a ring that counts who is taken out of it
    const header = Array.from({ length: 80 }, (_, at) => `v1,${String(at).padStart(43, "A")}=`).join(" ");
    expect(verifyStandardWebhook(counted, body, headersOf(header), NOW_MS)).toEqual(refusal("no_matching_signature"));
    expect(triedCount).toBe(3);
  });

  test("accepts nothing when no secret is configured", () => {
    const body = encode("{}");
    const headers = headersOf(sign(generateWebhookSecret(), body));
    expect(verifyStandardWebhook([], body, headers, NOW_MS)).toEqual(refusal("no_matching_signature"));
  });
});
