import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { ROUTES } from "#http/routes";
import { nameOf, pathOf, signIn, type Caller } from "../support/contract-call.ts";
import { buy, flushDeskOf, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

const page = z.object({ items: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().nullable() });

const ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const HOSTILE_CURSORS: readonly string[] = [
  "",
  ".",
  "0.",
  `.${ID}`,
  `-1.${ID}`,
  `zzzzzzzzzzz.${ID}`,
  `1.${ID} `,
  `1.${ID}\n`,
  `1.${ID}\u0000`,
  `1.${ID.toUpperCase()}`,
  `1.${ID}' OR '1'='1`,
  `${ID}.1000000000000000.${ID}`,
  "٣.' --",
  "x".repeat(200),
  "x".repeat(201),
  "💥".repeat(50),
];

const FAR_CURSORS: readonly string[] = [
  `0.${ID}`,
  `2gosa7pa2gv.${ID}`, // the largest whole number that is exact
  `1.${"-".repeat(36)}`,
  `${ID}.999999999999999.${ID}`,
  ID,
];

/** Each list that has pages. */
const LISTS = ROUTES.filter(({ query }) => query instanceof z.ZodObject && "cursor" in query.shape).map(
  (route) => [nameOf(route), route] as const,
);

let sale: Sale;
let buyer: Caller;
let orderIds: string[];

beforeAll(async () => {
  serveOutside();
  sale = await openSale({ priceCents: 0, quantity: 100 });
  buyer = await sale.makeBuyer();
  orderIds = [];
  for (let count = 0; count < 5; count += 1) {
    orderIds.push(idOf(await buy(sale, buyer, 2)));
    // Some of what is listed is in D1, the rest is known to the desk alone.
    if (count === 2) await flushDeskOf(orderIds[0] ?? "");
  }
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** Turns all pages of a list, and gives the named field of each item in the order of the list. */
async function turnPages(caller: Caller, path: string, field: string): Promise<{ found: unknown[]; sizes: number[] }> {
  const found: unknown[] = [];
  const sizes: number[] = [];
  let cursor: string | null = "";
  while (cursor !== null && sizes.length < 50) {
    const at = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { items, nextCursor } = page.parse((await caller.call("GET", `${path}${at}`)).body);
    found.push(...items.map((item) => item[field]));
    sizes.push(items.length);
    cursor = nextCursor;
  }
  return { found, sizes };
}

describe("a list, turned page by page,", () => {
  it("shows a venue manager the orders of the tenant, and of no other", async () => {
    await flushDeskOf(orderIds.at(-1) ?? "");
    const manager = await signIn("venue_manager", sale.tenantId);
    const { found } = await turnPages(manager, "/api/v1/orders?limit=2", "id");
    expect(found).toEqual(orderIds.toReversed());
    const stranger = await signIn("venue_manager", crypto.randomUUID());
    expect((await turnPages(stranger, "/api/v1/orders", "id")).found).toEqual([]);
  });

  it("shows each order once, the newest first, and ends", async () => {
    const { found, sizes } = await turnPages(buyer, "/api/v1/orders?limit=2", "id");
    expect(found).toEqual(orderIds.toReversed());
    expect(sizes).toEqual([2, 2, 1]);
  });

  it("shows each ticket once, and as many as were bought", async () => {
    for (const path of ["/api/v1/tickets?limit=3", `/api/v1/tickets/users/${buyer.userId}?limit=3`]) {
      const { found, sizes } = await turnPages(buyer, path, "id");
      expect(new Set(found).size, path).toBe(10);
      expect(sizes, path).toEqual([3, 3, 3, 1]);
    }
  });

  it("shows each mint job of the tenant once", async () => {
    await flushDeskOf(orderIds.at(-1) ?? "");
    const admin = await signIn("admin", sale.tenantId);
    // A job may move from one status to the next while its list is being read, so all of them are read until nothing moved.
    await expect
      .poll(async () => {
        const walks = ["QUEUED", "SUBMITTED", "FAILED"].map((status) =>
          turnPages(admin, `/mint/jobs?limit=4&status=${status}`, "ticketId"),
        );
        const found = (await Promise.all(walks)).flatMap((walk) => walk.found);
        return [found.length, new Set(found).size];
      })
      .toEqual([10, 10]);
  });

  it("has twenty on a page when nobody says how many, and at most a hundred", async () => {
    expect(page.parse((await buyer.call("GET", "/api/v1/orders")).body).items).toHaveLength(5);
    expect((await buyer.call("GET", "/api/v1/orders?limit=100")).status).toBe(200);
    expect((await buyer.call("GET", "/api/v1/orders?limit=101")).status).toBe(400);
  });

  it("takes no cursor of another list", async () => {
    const answer = await buyer.call("GET", `/api/v1/orders?cursor=${orderIds[0]}`);
    expect(answer).toMatchObject({ status: 400, body: { code: "validation_failed" } });
  });

  it.each(LISTS)("takes no cursor that the service did not make: %s", async (_, route) => {
    const admin = await signIn("admin", sale.tenantId);
    const turn = (cursor: string) => admin.call(route.method, `${pathOf(route)}?cursor=${encodeURIComponent(cursor)}`);
    for (const cursor of HOSTILE_CURSORS) {
      expect(await turn(cursor), cursor).toMatchObject({
        status: 400,
        body: { code: "validation_failed", errors: [{ path: "cursor" }] },
      });
    }
    // Well-formed, and beyond what there is: of another list it may be none at all.
    for (const cursor of FAR_CURSORS) expect([200, 400, 404], cursor).toContain((await turn(cursor)).status);
  });

  it("is all there for an order's tickets", async () => {
    const { found, sizes } = await turnPages(buyer, `/api/v1/orders/${orderIds[0]}/tickets?`, "orderId");
    expect([found, sizes]).toEqual([[orderIds[0], orderIds[0]], [2]]);
  });
});
