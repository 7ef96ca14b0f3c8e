import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LARGEST_BODY_BYTES } from "#http/middleware/read-body";
import type { Route } from "#http/route";
import { ROUTES } from "#http/routes";
import { call, nameOf, pathOf, signIn, type CallOptions, type Caller, type CheckedAnswer } from "../support/contract-call.ts";
import { buy, EVENT_BODY, flushDeskOf, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { newestOf, serveOutside, signBody } from "../support/payment-provider-at-test.ts";
import { makeWallet } from "../support/wallet.ts";

let sale: Sale;
let owner: Caller;
let orderId: string;
let discountId: string;

beforeAll(async () => {
  serveOutside();
  sale = await openSale();
  owner = await sale.makeBuyer();
  orderId = idOf(await buy(sale, owner));
  await flushDeskOf(orderId);
  const discount = { code: "GOOD", type: "fixed", amountCents: 1, scope: "ticket" };
  discountId = idOf(await sale.manager.call("POST", "/api/v1/discounts", { body: discount }));
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** A body that each route takes, so that every change of it below is refused for that change alone. */
function goodBodyOf(route: Route): Readonly<Record<string, unknown>> {
  const { eventId } = sale;
  const bodies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "POST /api/v1/events": EVENT_BODY,
    "PUT /api/v1/events/{id}": EVENT_BODY,
    "POST /api/v1/tickets/types": { eventId, name: "Fake", priceCents: 1, quantity: 1 },
    "PUT /api/v1/tickets/types/{id}": { priceCents: 1 },
    "POST /api/v1/tickets/purchase": sale.basket(1),
    "POST /api/v1/purchase": sale.basket(1),
    "POST /api/v1/purchase/quote": sale.basket(1),
    "POST /api/v1/discounts": { code: "SPOILED", type: "fixed", amountCents: 1, scope: "ticket" },
    "PUT /api/v1/discounts/{id}": { amountCents: 1 },
    "POST /mint": { orderId },
    "POST /api/v1/orders/{orderId}/refund": { reason: "rain" },
    "POST /api/v1/tickets/{ticketId}/claim/challenge": { walletAddress: makeWallet().address },
    "POST /api/v1/tickets/{ticketId}/claim": { message: "m", signature: `${"A".repeat(86)}==` },
    "POST /api/v1/transfer": { ticketId: crypto.randomUUID(), toUserId: crypto.randomUUID() },
    "POST /api/v1/transfer/{id}/accept": {},
    "POST /api/v1/webhook-endpoints": { url: "https://hooks.example.org" },
    "POST /api/v1/admin/blacklist": { userId: crypto.randomUUID(), reason: "resale" },
    "POST /api/v1/validation/scan": { qr: "x", eventId, type: "entry" },
    "POST /api/v1/tickets/validate-qr": { qr: "x", eventId, type: "entry" },
    "POST /api/v1/qr/validate": { qr: "x" },
    "POST /health/circuit-breakers/reset": {},
    "POST /admin/reservations/reconcile": { eventId },
    "POST /admin/chain/trees": { expectedTickets: 100 },
    "PUT /admin/chain/events/{id}/collections": { collectionAddress: env.SOLANA_TREE },
  };
  const body = bodies[nameOf(route)];
  if (!body) throw new Error(`no good body of ${nameOf(route)}: add it here`);
  return body;
}

const WITH_BODY = ROUTES.filter(({ body }) => body !== undefined).map((route): [string, Route] => [nameOf(route), route]);

/** Sends as an admin of the tenant, a new one each time: so many tries would use up the rate limit of one. */
async function sendTo(route: Route, options: CallOptions): Promise<CheckedAnswer> {
  const { typeId, eventId } = sale;
  const id = route.path.includes("/types/") ? typeId : route.path.includes("/discounts/") ? discountId : eventId;
  const params = { id };
  const { token } = await signIn("admin", sale.tenantId);
  return call(route.method, pathOf(route, params), { token, key: crypto.randomUUID(), ...options });
}

/** Sends the text as JSON. */
function sendText(route: Route, raw: BodyInit, type = "application/json"): Promise<CheckedAnswer> {
  return sendTo(route, { raw, headers: { "content-type": type } });
}

/** The stock, and how many rows of each kind the service has. */
async function photograph(): Promise<unknown> {
  const tables = [
    "events",
    "ticket_types",
    "orders",
    "order_items",
    "tickets",
    "payments",
    "mint_jobs",
    "refunds",
    "ticket_validations",
    "discounts",
    "tenant_trees",
  ];
  const counts = tables.map((table) => env.DB.prepare(`SELECT count(*) AS rows FROM ${table}`).first());
  const orders = await owner.call("GET", "/api/v1/orders");
  const types = await call("GET", `/api/v1/tickets/events/${sale.eventId}/types`);
  const event = await call("GET", `/api/v1/events/${sale.eventId}`);
  return { rows: await Promise.all(counts), stock: await sale.readStock(), read: [orders.body, types.body, event.body] };
}

function nest(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
}

function inChunks(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(offset, offset + 1_000));
      offset += 1_000;
      if (offset >= bytes.length) controller.close();
    },
  });
}

type BadBody = readonly [kind: string, status: number, code: string, attempt: (route: Route) => Promise<CheckedAnswer>];

const goodText = (route: Route): string => JSON.stringify(goodBodyOf(route));
const tooLong = (route: Route): string => goodText(route).padEnd(LARGEST_BODY_BYTES + 1);

const BAD_BODIES: readonly BadBody[] = [
  ["nothing at all", 400, "malformed_json", (route) => sendText(route, "")],
  ["half an object", 400, "malformed_json", (route) => sendText(route, goodText(route).slice(0, -1))],
  ["two objects", 400, "malformed_json", (route) => sendText(route, goodText(route).repeat(2))],
  ["bytes that are not UTF-8", 400, "malformed_json", (route) => sendText(route, new Uint8Array([0x22, 0xc3, 0x28, 0x22]))],
  ["objects nested too deep to parse or to match", 400, "", (route) => sendText(route, nest(10_000))],
  ["null", 400, "validation_failed", (route) => sendText(route, "null")],
  ["a list around it", 400, "validation_failed", (route) => sendText(route, `[${goodText(route)}]`)],
  ["a string", 400, "validation_failed", (route) => sendText(route, '"text"')],
  [
    "an unknown field beside it",
    400,
    "validation_failed",
    (route) => sendTo(route, { body: { ...goodBodyOf(route), extra: 1 } }),
  ],
  ["no content type", 415, "unsupported_media_type", (route) => sendText(route, goodText(route), "")],
  ["a form", 415, "unsupported_media_type", (route) => sendText(route, goodText(route), "application/x-www-form-urlencoded")],
  ["text", 415, "unsupported_media_type", (route) => sendText(route, goodText(route), "text/plain;charset=UTF-8")],
  [
    "a coding that nobody unpacks",
    415,
    "unsupported_media_type",
    (route) => sendTo(route, { body: goodBodyOf(route), headers: { "content-encoding": "gzip" } }),
  ],
  ["more than 64 KiB", 413, "body_too_large", (route) => sendText(route, tooLong(route))],
  ["more than 64 KiB of unknown length", 413, "body_too_large", (route) => sendText(route, inChunks(tooLong(route)))],
];

/** Every scalar of a body replaced, one at a time, by something of another type or beyond every limit. */
function* spoil(body: Readonly<Record<string, unknown>>): Generator<readonly [string, unknown]> {
  for (const [name, value] of Object.entries(body)) {
    if (Array.isArray(value)) {
      for (const list of [[], null, {}, "x", Array.from({ length: 101 }, () => value[0] as unknown)]) {
        yield [name, { ...body, [name]: list }];
      }
      for (const [path, inner] of spoil(value[0] as Readonly<Record<string, unknown>>))
        yield [path, { ...body, [name]: [inner] }];
      continue;
    }
    for (const bad of spoiledValuesOf(value)) yield [name, { ...body, [name]: bad }];
  }
}

function spoiledValuesOf(value: unknown): unknown[] {
  const others = [null, true, [], {}, [value]];
  if (typeof value === "number") return [...others, -1, -(2 ** 53), 0.5, 1e9 + 1, 1e300, String(value)];
  if (typeof value !== "string") return others;
  const isId = /^[0-9a-f]{8}-/.test(value);
  return isId
    ? [...others, 7, "", "42", `${value} `, `{${value}}`, value.replaceAll("-", ""), upperCase(value)]
    : [...others, 7];
}

/** In upper case, also when the id happens to hold no letter. */
function upperCase(id: string): string {
  return `A${id.slice(1).toUpperCase()}`;
}

describe.each(WITH_BODY)("%s", (_, route) => {
  const bad = BAD_BODIES.filter(([kind]) => !(route.isBodyOptional && kind === "nothing at all"));
  it.each(bad)("with %s is a clear %i, and nothing changes", async (_kind, status, code, attempt) => {
    const before = await photograph();
    const refused = await attempt(route);
    expect(refused.status).toBe(status);
    if (code !== "") expect(refused.body).toMatchObject({ code });
    expect(await photograph()).toEqual(before);
  });

  it("names the field that is of the wrong type or beyond every limit, and nothing changes", async () => {
    const before = await photograph();
    for (const [name, body] of spoil(goodBodyOf(route))) {
      const refused = await sendTo(route, { body });
      const where = JSON.stringify(body).slice(0, 300);
      expect(refused, where).toMatchObject({ status: 400, body: { code: "validation_failed" } });
      expect(JSON.stringify(refused.body["errors"]), where).toContain(name);
    }
    expect(await photograph()).toEqual(before);
  });
});

describe("a signed call's body", () => {
  const path = (): string => `/internal/orders/${orderId}/mark-paid`;
  const markPaid = (raw: string): Promise<CheckedAnswer> =>
    call("POST", path(), { raw, headers: signBody(raw, { secret: newestOf(env.INTERNAL_WEBHOOK_SECRETS) }) });

  it.each([
    ["a negative amount", '{"amountCents":-1}', 400, "validation_failed"],
    ["half a cent", '{"amountCents":45.5}', 400, "validation_failed"],
    ["an unknown field", '{"amount":4500}', 400, "validation_failed"],
    ["null", "null", 400, "validation_failed"],
    ["half an object", "{", 400, "malformed_json"],
    ["too many bytes", "x".repeat(LARGEST_BODY_BYTES + 1), 413, "body_too_large"],
  ])("with %s settles nothing", async (_what, raw, status, code) => {
    const before = await photograph();
    expect(await markPaid(raw)).toMatchObject({ status, body: { code } });
    expect(await photograph()).toEqual(before);
  });
});

it("takes what it was asked to spoil above, so that nothing is refused for another reason", async () => {
  for (const [name, route] of WITH_BODY) {
    const isMade = ["POST /api/v1/purchase", "POST /api/v1/tickets/purchase", "POST /mint"].includes(name);
    const answer = await sendTo(route, { body: goodBodyOf(route), key: isMade ? `good ${name}` : "unused" });
    // The unpaid order has no mint job and no ticket yet, so there is no offer either; a refund is asked for another order.
    const isOfNothing = name === "POST /mint" || /^\/api\/v1\/transfer|\/refund$|\/claim(\/challenge)?$/.test(route.path);
    if (isOfNothing) expect(answer.status, name).toBe(404);
    // No chain answers here, and a collection is looked at there.
    else if (route.path.startsWith("/admin/chain/events")) expect(answer.status, name).toBe(503);
    else expect(answer.status, name).toBeLessThan(300);
  }
});
