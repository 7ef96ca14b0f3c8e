import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { configureLog, createLogger } from "#platform/logger";
import { call, send, signIn, type Caller } from "../support/contract-call.ts";
import { buy, flushDeskOf, hold, idOf, openSale } from "../support/open-sale.ts";
import { offer, settle } from "../support/pass-on.ts";
import { deliver, serveOutside, signBody, type ProviderBooks } from "../support/payment-provider-at-test.ts";
import { signToken } from "../support/sign-token.ts";

const METHODS = ["log", "debug", "info", "warn", "error", "trace"] as const;

let lines: string[];
let books: ProviderBooks;

beforeEach(async () => {
  books = serveOutside();
  // The Worker and its objects configure the log from the environment when they start; after that it can be made talkative.
  const sale = await openSale({ priceCents: 0 });
  await buy(sale, await sale.makeBuyer());
  configureLog("debug");
  lines = [];
  const capture = (...parts: unknown[]): void => {
    lines.push(parts.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? String(part)))).join(" "));
  };
  for (const method of METHODS) vi.spyOn(console, method).mockImplementation(capture);
});
afterEach(async () => {
  vi.restoreAllMocks();
  configureLog("info");
});

/** What must never be read in a log: each secret of the deployment, and what this test's callers sent and got. */
class Secrets {
  readonly #texts = new Map<string, string>();

  constructor() {
    const rings = { ...env } as unknown as Readonly<Record<string, unknown>>; // read by name, below
    for (const name of [
      "PAYMENT_WEBHOOK_SECRETS",
      "STRIPE_WEBHOOK_SECRETS",
      "STRIPE_SECRET_KEY",
      "INTERNAL_WEBHOOK_SECRETS",
      "CREDENTIAL_SIGNING_KEYS",
      "SOLANA_WALLET_PRIVATE_KEY",
    ]) {
      for (const [at, secret] of String(rings[name]).split(",").entries()) this.add(`${name} ${at}`, secret);
    }
    this.add("the key that signs tokens", z.object({ d: z.string() }).parse(JSON.parse(env.TEST_JWT_PRIVATE_JWK)).d);
  }

  /** Remembers a text of eight characters and more; of long ones a piece is enough to give it away. */
  add(name: string, text: string): string {
    if (text.length < 8) throw new Error(`${name} is too short to be searched for`);
    this.#texts.set(name, text);
    return text;
  }

  /** Names of the secrets that some line holds, whole or a piece of 24 characters from their middle or end. */
  findIn(searched: readonly string[]): string[] {
    const all = searched.join("\n");
    return [...this.#texts].filter(([, text]) => piecesOf(text).some((piece) => all.includes(piece))).map(([name]) => name);
  }
}

function piecesOf(text: string): string[] {
  if (text.length <= 32) return [text];
  const middle = Math.floor(text.length / 2);
  return [text, text.slice(middle, middle + 24), text.slice(-24)];
}

const EMAIL = "ada.lovelace@example.org";

/** Buys, pays, shows a code, scans it twice, and takes every wrong turn on the way. */
async function travel(secrets: Secrets): Promise<void> {
  const sale = await openSale({ description: `questions to ${EMAIL}` });
  secrets.add("an e-mail address", EMAIL);
  const buyer = await sale.makeBuyer();
  const steward = await signIn("door_staff", sale.tenantId);
  for (const [name, { token }] of Object.entries({ buyer, steward, manager: sale.manager }))
    secrets.add(`${name}'s token`, token);
  const key = secrets.add("the Idempotency-Key of a purchase", `purchase-${crypto.randomUUID()}`);
  const holdKey = secrets.add("the Idempotency-Key of a hold", `hold-${crypto.randomUUID()}`);
  await hold(sale, buyer, 1, holdKey);
  books.isDown = true;
  await buy(sale, buyer, 1, key);
  books.isDown = false;
  const orderId = idOf(await buy(sale, buyer, 1, key));
  await buy(sale, buyer, 2, key);
  await buy(sale, buyer, 10, secrets.add("the Idempotency-Key of a refusal", `greedy-${crypto.randomUUID()}`));
  await payWrongly(secrets, orderId);
  await deliver({ orderId, amountCents: 4_500 });
  await flushDeskOf(orderId);
  await offerAround(secrets, orderId, buyer);
  await walkIn(secrets, { eventId: sale.eventId, orderId, buyer, steward });
  await knockWrongly(secrets);
}

/** Offers the ticket to an address, well and wrongly, and takes it back. */
async function offerAround(secrets: Secrets, orderId: string, buyer: Caller): Promise<void> {
  const { body } = await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`);
  const [{ id: ticketId }] = z.object({ items: z.tuple([z.looseObject({ id: z.string() })]) }).parse(body).items;
  const key = secrets.add("the Idempotency-Key of an offer", `offer-${crypto.randomUUID()}`);
  const transferId = idOf(await offer(buyer, ticketId, { toEmail: EMAIL }, key));
  for (const to of [{ toEmail: EMAIL }, { toEmail: `${EMAIL} ` }, { toEmail: EMAIL, toUserId: buyer.userId }]) {
    expect((await offer(buyer, ticketId, to)).status).toBeGreaterThanOrEqual(400);
  }
  const proven = { email: EMAIL, emailVerified: true };
  const recipient = await signIn("user", buyer.tenantId, undefined, proven);
  secrets.add("the recipient's token", recipient.token);
  expect((await recipient.call("GET", "/api/v1/transfer")).body["items"]).toHaveLength(1);
  expect((await settle(buyer, transferId, "cancel")).status).toBe(200);
  expect((await settle(recipient, transferId, "accept")).status).toBeGreaterThanOrEqual(400);
}

async function payWrongly(secrets: Secrets, orderId: string): Promise<void> {
  const body = JSON.stringify({ type: "payment.succeeded", data: { orderId, email: EMAIL } });
  const headers = signBody(body);
  secrets.add("a webhook's signature", headers["webhook-signature"] ?? "");
  await send("POST", "/api/v1/webhooks/payments/standard", { raw: `${body} `, headers });
  await send("POST", "/api/v1/webhooks/payments/standard", { raw: body, headers });
  await deliver({ orderId, amountCents: 1 }, { skewSeconds: -4_000 });
  await deliver({ orderId, amountCents: 1, paymentId: "another-payment" });
  await deliver({ orderId: crypto.randomUUID(), amountCents: 1 });
  await send("POST", `/internal/orders/${orderId}/mark-paid`, { raw: body, headers });
}

interface AtTheDoor {
  readonly eventId: string;
  readonly orderId: string;
  readonly buyer: Caller;
  readonly steward: Caller;
}

async function walkIn(secrets: Secrets, { eventId, orderId, buyer, steward }: AtTheDoor): Promise<void> {
  const { body } = await buyer.call("GET", `/api/v1/orders/${orderId}/tickets`);
  const { items } = z.object({ items: z.tuple([z.looseObject({ id: z.string() })]) }).parse(body);
  const shown = await buyer.call("GET", `/api/v1/qr/${items[0].id}/generate`);
  const qr = secrets.add("a code", z.string().parse(shown.body["qr"]));
  const nonce = secrets.add("a scan's nonce", `nonce-${crypto.randomUUID()}`);
  const scan = (change: Readonly<Record<string, unknown>>): ReturnType<Caller["call"]> =>
    steward.call("POST", "/api/v1/validation/scan", { body: { qr, eventId, type: "entry", ...change } });
  const admitted = await scan({ nonce });
  expect(admitted.body).toMatchObject({ result: "admitted" });
  secrets.add("a receipt", z.string().parse(admitted.body["receipt"]));
  await scan({});
  await scan({ qr: `${qr.slice(0, -2)}AA` });
  await scan({ eventId: crypto.randomUUID() });
  await scan({ unknown: EMAIL });
  await steward.call("POST", "/api/v1/qr/validate", { body: { qr } });
}

async function knockWrongly(secrets: Secrets): Promise<void> {
  const expired = secrets.add("an expired token", await signToken({ ttlSeconds: -1 }));
  const confused = secrets.add("a forged token", await signToken({ alg: "HS256" }));
  for (const token of [expired, confused]) await call("GET", "/api/v1/orders", { token });
  await call("GET", `/api/v1/orders?cursor=${encodeURIComponent(EMAIL)}`, { token: await signToken() });
  await call("GET", `/nothing/${expired}`);
  await call("GET", "/nothing", { headers: { "x-request-id": EMAIL } });
  const token = secrets.add("a good token", await signToken({ role: "admin" }));
  await call("POST", "/api/v1/events", { token, raw: `{"name":"${EMAIL}"`, headers: { "content-type": "application/json" } });
  await call("POST", "/health/circuit-breakers/reset", { token, body: { name: EMAIL } });
}

/** A request whose platform fails under it. */
async function failInside(): Promise<void> {
  const { token } = await signIn("user", crypto.randomUUID());
  const failing = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, "prepare").mockImplementation(() => {
    throw new Error(`D1 refused ${EMAIL} with whsec_${"A".repeat(32)}`);
  });
  await send("GET", `/nft/${crypto.randomUUID()}`, { token });
  failing.mockRestore();
}

describe("the log of a whole journey with all its wrong turns", () => {
  it("holds no token, signature, secret, code, address of a person or Idempotency-Key", async () => {
    const secrets = new Secrets();
    await travel(secrets);
    await failInside();
    expect(secrets.findIn(lines)).toEqual([]);
    // There was something to search: quiet lines and loud ones, of the Worker and of its objects.
    for (const level of ["DEBUG", "INFO", "WARN", "ERROR"]) expect(lines.join("\n")).toContain(`"level":"${level}`);
    for (const part of ["tickets.http", "tickets.order-desk"]) expect(lines.join("\n")).toContain(part);
    expect(lines.length).toBeGreaterThan(30);
    // An operator reads why a purchase and an offer were refused, not only that they were.
    for (const code of ["idempotency_key_reused", "payment_provider_down", "ticket_not_transferable"]) {
      expect(lines.join("\n")).toContain(`"refusal":"${code}"`);
    }
  });

  it("would be seen to hold them: each secret in a line is found by the same search", async () => {
    const secrets = new Secrets();
    await travel(secrets);
    const leaks: readonly ((text: string) => string)[] = [
      (text) => text,
      (text) => `{"a":["${text}"]}`,
      (text) => text.slice(-24),
    ];
    for (const leak of leaks) {
      const code = secrets.add("one more", `leaked-${"x".repeat(10)}-${crypto.randomUUID()}`);
      expect(secrets.findIn([...lines, leak(code)])).toEqual(["one more"]);
    }
  });

  it("is redacted by the logger, not by luck", () => {
    const secrets = new Secrets();
    const [first = ""] = env.PAYMENT_WEBHOOK_SECRETS.split(",");
    createLogger("http").error("request failed", { error: new Error(`bad secret ${first} of ${EMAIL}`) });
    expect(lines.filter((line) => line.includes("bad secret"))).toHaveLength(1);
    expect(secrets.findIn(lines)).toEqual([]);
    lines.push(`printed past the logger: ${first}`);
    expect(secrets.findIn(lines)).toEqual(["PAYMENT_WEBHOOK_SECRETS 0"]);
  });
});
