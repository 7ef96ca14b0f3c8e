import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ROUTES } from "#http/routes";
import { nameOf, signIn, type CallOptions, type Caller } from "../support/contract-call.ts";
import { EVENT_BODY, flushDeskOf } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";
import { itemsShape, makeBelongings, offerTicket, type Belongings } from "../support/belongings.ts";
import { makeWallet } from "../support/wallet.ts";

let fresh: Belongings;
let stored: Belongings;

beforeAll(async () => {
  serveOutside();
  fresh = await makeBelongings();
  stored = await makeBelongings();
  await flushDeskOf(stored.paidOrderId);
  await flushDeskOf(stored.openOrderId);
  stored = await offerTicket(stored);
});
afterAll(() => {
  vi.restoreAllMocks();
});

type Attempt = readonly [route: string, path: (has: Belongings) => string, options?: (has: Belongings) => CallOptions];

const key = "a stranger's key";
const CLAIM = { message: "m", signature: `${"A".repeat(86)}==` };

/** Reads and changes of what belongs to one buyer. */
const OF_A_BUYER: readonly Attempt[] = [
  ["GET /api/v1/orders/{orderId}", (has) => `/api/v1/orders/${has.paidOrderId}`],
  ["GET /api/v1/orders/{orderId}/tickets", (has) => `/api/v1/orders/${has.paidOrderId}/tickets`],
  ["GET /api/v1/orders/{orderId}/refunds", (has) => `/api/v1/orders/${has.paidOrderId}/refunds`],
  ["POST /api/v1/orders/{orderId}/cancel", (has) => `/api/v1/orders/${has.openOrderId}/cancel`, () => ({ key })],
  ["GET /api/v1/tickets/{ticketId}", (has) => `/api/v1/tickets/${has.ticketId}`],
  ["GET /api/v1/qr/{ticketId}/generate", (has) => `/api/v1/qr/${has.ticketId}/generate`],
  [
    "POST /api/v1/tickets/{ticketId}/claim/challenge",
    (has) => `/api/v1/tickets/${has.ticketId}/claim/challenge`,
    () => ({ body: { walletAddress: makeWallet().address } }),
  ],
  ["POST /api/v1/tickets/{ticketId}/claim", (has) => `/api/v1/tickets/${has.ticketId}/claim`, () => ({ body: CLAIM })],
  ["GET /mint/{ticketId}", (has) => `/mint/${has.ticketId}`],
  ["GET /mint/{ticketId}/proof", (has) => `/mint/${has.ticketId}/proof`],
  ["GET /api/v1/tickets/reservations/{id}", (has) => `/api/v1/tickets/reservations/${has.reservationId}`],
  ["DELETE /api/v1/tickets/reservations/{id}", (has) => `/api/v1/tickets/reservations/${has.reservationId}`],
  [
    "POST /api/v1/transfer",
    () => "/api/v1/transfer",
    ({ ticketId }) => ({ key: crypto.randomUUID(), body: { ticketId, toUserId: crypto.randomUUID() } }),
  ],
  ["POST /api/v1/transfer/{id}/accept", (has) => `/api/v1/transfer/${has.transferId}/accept`],
  ["POST /api/v1/transfer/{id}/decline", (has) => `/api/v1/transfer/${has.transferId}/decline`],
  ["POST /api/v1/transfer/{id}/cancel", (has) => `/api/v1/transfer/${has.transferId}/cancel`],
  ["GET /api/v1/transfer/{ticketId}/history", (has) => `/api/v1/transfer/${has.ticketId}/history`],
  ["POST /api/v1/purchase", () => "/api/v1/purchase", ({ reservationId }) => ({ key, body: { reservationId } })],
  ["POST /api/v1/purchase/quote", () => "/api/v1/purchase/quote", ({ reservationId }) => ({ body: { reservationId } })],
];

const typeBody = (has: Belongings): CallOptions => ({
  body: { eventId: has.sale.eventId, name: "Fake", priceCents: 1, quantity: 1 },
});
const scanBody = ({ qr, sale }: Belongings): CallOptions => ({ body: { qr, eventId: sale.eventId, type: "entry" } });
const stolenName = (): CallOptions => ({ body: { ...EVENT_BODY, name: "Stolen" } });
const strangeTree = (): CallOptions => ({ body: { collectionAddress: env.SOLANA_TREE } });

/** Reads and changes of what belongs to a tenant, by someone of another. */
const OF_A_TENANT: readonly Attempt[] = [
  ["PUT /api/v1/events/{id}", (has) => `/api/v1/events/${has.sale.eventId}`, stolenName],
  ["PUT /admin/chain/events/{id}/collections", (has) => `/admin/chain/events/${has.sale.eventId}/collections`, strangeTree],
  ["POST /api/v1/tickets/types", () => "/api/v1/tickets/types", typeBody],
  ["PUT /api/v1/tickets/types/{id}", (has) => has.sale.path, () => ({ body: { priceCents: 1 } })],
  ["DELETE /api/v1/tickets/types/{id}", (has) => has.sale.path],
  ["PUT /api/v1/discounts/{id}", (has) => `/api/v1/discounts/${has.discountId}`, () => ({ body: { percentBps: 1 } })],
  ["DELETE /api/v1/discounts/{id}", (has) => `/api/v1/discounts/${has.discountId}`],
  ["POST /api/v1/tickets/purchase", () => "/api/v1/tickets/purchase", ({ sale }) => ({ key, body: sale.basket(1) })],
  ["POST /api/v1/purchase", () => "/api/v1/purchase", ({ sale }) => ({ key, body: sale.basket(1) })],
  ["POST /api/v1/purchase/quote", () => "/api/v1/purchase/quote", ({ sale }) => ({ body: sale.basket(1) })],
  [
    "POST /api/v1/orders/{orderId}/refund",
    (has) => `/api/v1/orders/${has.paidOrderId}/refund`,
    () => ({ key, body: { reason: "mischief" } }),
  ],
  ["POST /mint", () => "/mint", ({ ticketId }) => ({ key, body: { ticketIds: [ticketId] } })],
  ["POST /mint", () => "/mint", ({ paidOrderId }) => ({ key, body: { orderId: paidOrderId } })],
  ["POST /api/v1/validation/scan", () => "/api/v1/validation/scan", scanBody],
  ["POST /api/v1/tickets/validate-qr", () => "/api/v1/tickets/validate-qr", scanBody],
  ["POST /api/v1/qr/validate", () => "/api/v1/qr/validate", ({ qr }) => ({ body: { qr } })],
  ["GET /api/v1/validation/events/{eventId}/stats", (has) => `/api/v1/validation/events/${has.sale.eventId}/stats`],
];

/** Routes whose answer is the caller's own list or nobody's belongings; the lists have tests of their own below. */
const OF_NOBODY = [
  "GET /api/v1/orders",
  "GET /api/v1/tickets",
  "GET /api/v1/tickets/users/{userId}",
  "GET /api/v1/discounts",
  "POST /api/v1/discounts",
  "GET /mint/jobs",
  "GET /mint/moves",
  "GET /mint/burns",
  "GET /api/v1/transfer",
  "GET /api/v1/admin/blacklist",
  "POST /api/v1/admin/blacklist",
  "DELETE /api/v1/admin/blacklist/{userId}",
  "GET /admin/reservations/metrics",
  "GET /admin/reservations/orphans",
  "POST /admin/reservations/reconcile",
  "GET /admin/chain/trees",
  "POST /admin/chain/trees",
  "GET /health/detailed",
  "GET /health/circuit-breakers",
  "POST /health/circuit-breakers/reset",
  "POST /api/v1/events",
  // Tried in refunds-by-hand.test.ts.
  "POST /api/v1/orders/{orderId}/refunds/{refundId}/mark-paid",
  // Each of them is tried in webhook-endpoints.test.ts.
  ...ROUTES.map(nameOf).filter((name) => name.includes("/webhook-endpoints")),
];

const named = (attempts: readonly Attempt[]): [string, Attempt][] => attempts.map((tried) => [tried[0], tried]);

async function attempt([route, path, options]: Attempt, stranger: Caller, has: Belongings): Promise<void> {
  const [method = ""] = route.split(" ");
  const answer = await stranger.call(method, path(has), options?.(has));
  expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
  expect(JSON.stringify(answer.body)).not.toContain(has.owner.userId);
}

/** Everything that a successful attempt would have changed. */
async function photograph({ sale, owner, openOrderId, paidOrderId, ticketId, reservationId }: Belongings): Promise<unknown> {
  const paths = [
    `/api/v1/orders/${openOrderId}`,
    `/api/v1/orders/${paidOrderId}`,
    `/api/v1/tickets/${ticketId}`,
    `/api/v1/tickets/reservations/${reservationId}`,
    "/api/v1/transfer",
    `/api/v1/events/${sale.eventId}`,
    `/api/v1/tickets/events/${sale.eventId}/types`,
  ];
  const read = await Promise.all(paths.map(async (path) => (await owner.call("GET", path)).body));
  const { body: discounts } = await sale.manager.call("GET", "/api/v1/discounts");
  const gate = await env.EVENT_GATE.getByName(sale.eventId).stats(sale.tenantId);
  // What the mint does with a paid ticket goes on by itself, so the job's own state is left out.
  return {
    read: JSON.parse(JSON.stringify(read).replaceAll(/"mint":\{[^}]*\}/g, '"mint":{}')),
    gate,
    discounts,
    stock: await sale.readStock(),
  };
}

const KINDS: readonly [string, () => Belongings][] = [
  ["as its desk just made it", () => fresh],
  ["as D1 has it", () => stored],
];

describe.each(KINDS)("what belongs to a buyer, %s,", (_, belongings) => {
  it.each(named(OF_A_BUYER))("is not there for another buyer of the same tenant: %s", async (_route, tried) => {
    const has = belongings();
    const before = await photograph(has);
    await attempt(tried, await has.sale.makeBuyer(), has);
    expect(await photograph(has)).toEqual(before);
  });

  it.each(named(OF_A_BUYER))(
    "is not there for an admin of another tenant, even one with the owner's own user id: %s",
    async (_route, tried) => {
      const has = belongings();
      const before = await photograph(has);
      await attempt(tried, await signIn("admin", crypto.randomUUID()), has);
      await attempt(tried, await signIn("admin", crypto.randomUUID(), has.owner.userId), has);
      expect(await photograph(has)).toEqual(before);
    },
  );

  it.each(named(OF_A_TENANT))(
    "and to its organiser, is not there for an admin of another tenant: %s",
    async (_route, tried) => {
      const has = belongings();
      const before = await photograph(has);
      await attempt(tried, await signIn("admin", crypto.randomUUID(), has.owner.userId), has);
      expect(await photograph(has)).toEqual(before);
    },
  );

  it("is there for its owner, so that the tests above are not refused for another reason", async () => {
    const { owner, paidOrderId, ticketId, reservationId } = belongings();
    for (const path of [`orders/${paidOrderId}`, `tickets/${ticketId}`, `tickets/reservations/${reservationId}`]) {
      expect((await owner.call("GET", `/api/v1/${path}`)).status, path).toBe(200);
    }
    expect((await owner.call("GET", `/mint/${ticketId}`)).status).toBe(200);
  });

  it("may be read by a venue manager of the tenant, but neither cancelled nor shown as a code", async () => {
    const { sale, paidOrderId, openOrderId, ticketId } = belongings();
    const { manager } = sale;
    for (const path of [`/api/v1/orders/${paidOrderId}`, `/api/v1/tickets/${ticketId}`, `/mint/${ticketId}`]) {
      expect((await manager.call("GET", path)).status, path).toBe(200);
    }
    expect((await manager.call("POST", `/api/v1/orders/${openOrderId}/cancel`, { key })).status).toBe(404);
    expect((await manager.call("GET", `/api/v1/qr/${ticketId}/generate`)).status).toBe(404);
  });

  it("is in no list but its owner's and its organiser's", async () => {
    const { sale, owner, openOrderId, paidOrderId, ticketId } = belongings();
    const list = async (caller: Caller, path: string): Promise<string[]> =>
      itemsShape.parse((await caller.call("GET", path)).body).items.map(({ id }) => id);
    const ofOwner = `/api/v1/tickets/users/${owner.userId}`;
    expect((await list(owner, "/api/v1/orders")).toSorted()).toEqual([openOrderId, paidOrderId].toSorted());
    for (const path of ["/api/v1/tickets", ofOwner]) expect(await list(owner, path)).toEqual([ticketId]);
    expect(await list(sale.manager, ofOwner)).toEqual([ticketId]);
    const strangers = [
      await sale.makeBuyer(),
      await signIn("user", crypto.randomUUID(), owner.userId),
      await signIn("admin", crypto.randomUUID()),
    ];
    for (const stranger of strangers) {
      for (const path of ["/api/v1/orders", "/api/v1/tickets"]) expect(await list(stranger, path)).toEqual([]);
    }
    expect((await (await sale.makeBuyer()).call("GET", ofOwner)).status).toBe(404);
    expect(await list(await signIn("admin", crypto.randomUUID()), ofOwner)).toEqual([]);
  });
});

it("is offered in no list but its owner's, and a past offer is no other's to read", async () => {
  const { sale, owner, transferId, ticketId } = stored;
  const list = async (caller: Caller): Promise<string[]> =>
    itemsShape.parse((await caller.call("GET", "/api/v1/transfer")).body).items.map(({ id }) => id);
  expect(await list(owner)).toEqual([transferId]);
  const sameUserElsewhere = await signIn("admin", crypto.randomUUID(), owner.userId);
  for (const other of [await sale.makeBuyer(), sale.manager, sameUserElsewhere]) expect(await list(other)).toEqual([]);
  expect((await sale.manager.call("GET", `/api/v1/transfer/${ticketId}/history`)).status).toBe(200);
});

it("keeps each tenant's blacklist to itself", async () => {
  const [here, elsewhere] = [await signIn("admin", stored.sale.tenantId), await signIn("admin", crypto.randomUUID())];
  const { userId } = stored.owner;
  const path = "/api/v1/admin/blacklist";
  expect((await elsewhere.call("POST", path, { body: { userId, reason: "mischief" } })).status).toBe(201);
  expect((await here.call("GET", path)).body["items"]).toEqual([]);
  expect((await here.call("DELETE", `${path}/${userId}`)).status).toBe(404);
  expect((await elsewhere.call("GET", path)).body["items"]).toMatchObject([{ userId }]);
});

it("shows no tree of one tenant in the list of another", async () => {
  const [here, elsewhere] = [await signIn("admin", stored.sale.tenantId), await signIn("admin", crypto.randomUUID())];
  const body = { expectedTickets: 100 };
  const made = await here.call("POST", "/admin/chain/trees", { key: crypto.randomUUID(), body });
  const { address } = made.body;
  expect((await here.call("GET", "/admin/chain/trees")).body["items"]).toMatchObject([{ address }]);
  expect((await elsewhere.call("GET", "/admin/chain/trees")).body["items"]).toEqual([]);
});

it("shows no mint job of one tenant in the list of another", async () => {
  const find = async (caller: Caller): Promise<string> => {
    const pages = ["QUEUED", "SUBMITTED", "MINTED", "FAILED"].map((status) =>
      caller.call("GET", `/mint/jobs?status=${status}`),
    );
    return JSON.stringify((await Promise.all(pages)).map(({ body }) => body["items"]));
  };
  expect(await find(await signIn("admin", stored.sale.tenantId))).toContain(stored.ticketId);
  expect(await find(await signIn("admin", crypto.randomUUID()))).not.toContain(stored.ticketId);
});

it("leaves out no route that someone signs in for", () => {
  const signingIn = ROUTES.filter(({ who }) => who !== "P" && who !== "S").map(nameOf);
  const tried = [...OF_A_BUYER, ...OF_A_TENANT].map(([route]) => route);
  expect([...new Set([...tried, ...OF_NOBODY])].toSorted()).toEqual(signingIn.toSorted());
});
