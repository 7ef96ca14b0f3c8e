import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";
import { deriveId, deskNumberFor } from "#domain/ids";
import type { SignedInContext } from "#services/context";
import { findMint } from "#services/mint/find-mint";
import { cancelOrder } from "#services/order/cancel-order";
import { findOrder } from "#services/order/find-order";
import { listOrderTickets } from "#services/order/list-order-tickets";
import { listOrders } from "#services/order/list-orders";
import { findReservation } from "#services/reservation/find-reservation";
import { findTicket } from "#services/ticket/find-ticket";
import { listTickets } from "#services/ticket/list-tickets";
import { inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";

/** A D1 that answers nothing. */
const DOWN = new Proxy(env.DB, {
  get: () => () => {
    throw new Error("D1 is down");
  },
});

/** The buyer's requests, with every desk that they ask for noted by number. */
function contextOf(world: DeskWorld, desk: TestDesk, db: D1Database, asked: number[] = []): SignedInContext {
  const principal = { tenantId: world.tenantId, userId: world.userId, role: "user", permissions: [] };
  const askDesk = (number: number): TestDesk => {
    asked.push(number);
    return desk;
  };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  return {
    db: drizzle(db),
    nowMs: Date.now(),
    logger,
    desksPerTenant: 1,
    desk: askDesk,
    principal,
  } as unknown as SignedInContext; // all that reads use
}

async function buyTwice(world: DeskWorld, desk: TestDesk): Promise<readonly [paid: string, open: string]> {
  const ticketTypeId = await world.addType(10);
  const orderIds = [];
  for (const key of ["paid", "open"]) {
    const placed = await desk.place(world.place(key, [{ ticketTypeId, quantity: 1 }]));
    if (!placed.ok) throw new Error(placed.failure.code);
    await desk.attachPayment(world.tenantId, placed.value.id, world.payment(placed.value.id));
    orderIds.push(placed.value.id);
  }
  const [paid = "", open = ""] = orderIds;
  await desk.settle(world.news(paid));
  return [paid, open];
}

const PAGE = { limit: 20, after: undefined };

describe("what a buyer has just done", () => {
  it.each([
    ["before D1 has heard of it", env.DB],
    ["while D1 is down", DOWN],
  ])("is there in every read %s", (_, db) =>
    inDeskWorld(async (world) => {
      const desk = world.openDesk();
      const [paid, open] = await buyTwice(world, desk);
      const ctx = contextOf(world, desk, db);
      const orders = await listOrders(ctx, PAGE);
      expect(new Map(orders.items.map((order) => [order.id, order.status]))).toEqual(
        new Map([
          [open, "PENDING"],
          [paid, "AWAITING_MINT"],
        ]),
      );
      const tickets = await listTickets(ctx, PAGE);
      expect(tickets.items).toMatchObject([{ orderId: paid, status: "SOLD", mint: { status: "QUEUED" } }]);
      expect(await findOrder(ctx, paid)).toMatchObject({ ok: true, value: { status: "AWAITING_MINT" } });
      expect(await listOrderTickets(ctx, paid)).toEqual({ ok: true, value: tickets.items });
      expect(await findTicket(ctx, tickets.items[0]?.id ?? "")).toMatchObject({ ok: true, value: { orderId: paid } });
    }),
  );

  it("reads the same once D1 has all of it, and what the mint did shows", () =>
    inDeskWorld(async (world) => {
      const desk = world.openDesk();
      const [paid] = await buyTwice(world, desk);
      const ctx = contextOf(world, desk, env.DB);
      const before = await listTickets(ctx, PAGE);
      await world.settleDown(desk);
      expect((await listTickets(ctx, PAGE)).items.map((ticket) => ticket.id)).toEqual(before.items.map((ticket) => ticket.id));
      await env.DB.prepare("UPDATE orders SET status = 'COMPLETED' WHERE id = ?").bind(paid).run();
      expect(await findOrder(ctx, paid)).toMatchObject({
        value: { status: "COMPLETED", payment: { action: { type: "redirect" } } },
      });
      expect((await listOrders(ctx, PAGE)).items.find((order) => order.id === paid)?.status).toBe("COMPLETED");
    }));

  it("is nobody else's, and a ticket that has changed hands is its new owner's", () =>
    inDeskWorld(async (world) => {
      const desk = world.openDesk();
      const [paid] = await buyTwice(world, desk);
      await world.settleDown(desk);
      const ctx = contextOf(world, desk, env.DB);
      const [ticket] = (await listTickets(ctx, PAGE)).items;
      const stranger = { ...ctx, principal: { ...ctx.principal, userId: crypto.randomUUID() } };
      expect(await findOrder(stranger, paid)).toMatchObject({ failure: { code: "not_found" } });
      expect(await findTicket(stranger, ticket?.id ?? "")).toMatchObject({ failure: { code: "not_found" } });
      await env.DB.prepare("UPDATE tickets SET owner_user_id = ?, status = 'TRANSFERRED' WHERE id = ?")
        .bind(stranger.principal.userId, ticket?.id ?? "")
        .run();
      expect((await listTickets(ctx, PAGE)).items).toEqual([]);
      expect(await findTicket(ctx, ticket?.id ?? "")).toMatchObject({ failure: { code: "not_found" } });
      expect(await findTicket(stranger, ticket?.id ?? "")).toMatchObject({ ok: true });
    }));
});

describe("while D1 is down", () => {
  it("a list never calls itself complete, and what only D1 knows is an outage, not a 404", () =>
    inDeskWorld(async (world) => {
      const desk = world.openDesk();
      await buyTwice(world, desk);
      const ctx = contextOf(world, desk, DOWN);
      const orders = await listOrders(ctx, PAGE);
      expect(orders.nextCursor).not.toBeNull();
      const last = orders.items.at(-1);
      await expect(listOrders(ctx, { limit: 20, after: last })).rejects.toThrow();
      await expect(listTickets(ctx, { limit: 20, after: { createdAtMs: 1, id: "0" } })).rejects.toThrow();
      await expect(findOrder(ctx, deriveId(deskNumberFor(world.tenantId, world.userId, 1), ["old"]))).rejects.toThrow();
      await expect(findTicket(ctx, crypto.randomUUID())).rejects.toThrow();
    }));
});

it("an id that somebody made up wakes no desk", () =>
  inDeskWorld(async (world) => {
    const asked: number[] = [];
    const ctx = contextOf(world, world.openDesk(), env.DB, asked);
    const id = "00000000-0000-8000-8000-000000000000";
    const answers = await Promise.all([
      findOrder(ctx, id),
      findTicket(ctx, id),
      findMint(ctx, id),
      findReservation(ctx, id),
      cancelOrder(ctx, { request: world.request("c", "", "cancel"), orderId: id }),
    ]);
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, failure: { code: "not_found" } });
    expect(asked).toEqual([]);
  }));
