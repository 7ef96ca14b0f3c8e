/** What an operator reads of reservations: figures, and those that no order stands behind. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { signIn, type Caller } from "../support/contract-call.ts";
import { buy, flushDeskOf, hold, idOf, openSale, type Sale } from "../support/open-sale.ts";
import { serveOutside } from "../support/payment-provider-at-test.ts";

const MINUTES_MS = 6 * 60_000;

beforeAll(() => {
  serveOutside();
});
afterAll(() => {
  vi.restoreAllMocks();
});

/** An admin of the sale's tenant. */
function adminOf(sale: Sale): Promise<Caller> {
  return signIn("admin", sale.tenantId);
}

async function tellAll(sale: Sale): Promise<void> {
  const stub = env.TICKET_TYPE_INVENTORY.getByName(sale.typeId);
  for (let round = 0; round < 100; round += 1) {
    await runDurableObjectAlarm(stub);
    if ((await stub.measureBacklog()).waitingCount === 0) return;
    await scheduler.wait(5); // an alarm of the platform's own may be delivering
  }
  throw new Error("the outbox was not emptied");
}

/** A free order whose sale D1 has heard of, made long enough ago to be judged. @returns the order's and reservation's ids. */
async function sellLongAgo(sale: Sale): Promise<{ orderId: string; reservationId: string }> {
  const bought = await buy(sale, await sale.makeBuyer());
  const orderId = idOf(bought);
  const { id: reservationId } = bought.body["reservation"] as { id: string }; // the contract's shape, checked by the call
  await flushDeskOf(orderId);
  await tellAll(sale);
  await env.DB.prepare("UPDATE reservation_history SET at_ms = at_ms - ?2 WHERE reservation_id = ?1")
    .bind(reservationId, MINUTES_MS)
    .run();
  return { orderId, reservationId };
}

describe("the metrics", () => {
  it("count what is held, sold and free, and what became of each reservation", async () => {
    const sale = await openSale({ priceCents: 0 });
    const admin = await adminOf(sale);
    const buyer = await sale.makeBuyer();
    await sellLongAgo(sale);
    const held = idOf(await hold(sale, buyer, 2));
    idOf(await hold(sale, buyer, 3));
    await buyer.call("DELETE", `/api/v1/tickets/reservations/${held}`);
    await tellAll(sale);
    const stock = { quantity: 10, heldCount: 3, soldCount: 1, availableCount: 6 };
    const reservations = { activeCount: 1, completedCount: 1, cancelledCount: 1, expiredCount: 0 };
    expect((await admin.call("GET", "/admin/reservations/metrics")).body).toMatchObject({
      stock,
      reservations: { ...reservations, isComplete: true },
      items: [
        {
          ticketTypeId: sale.typeId,
          eventId: sale.eventId,
          stock,
          reservations,
          projection: { undeliveredCount: 0, refusedCount: 0, oldestUndeliveredAt: null },
        },
      ],
      nextCursor: null,
    });
  });

  it("say how many changes the database has not heard, and since when", async () => {
    const sale = await openSale();
    const admin = await adminOf(sale);
    await tellAll(sale);
    const stub = env.TICKET_TYPE_INVENTORY.getByName(sale.typeId);
    const beforeMs = Date.now();
    const command = { tenantId: sale.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity: 1 };
    await runInDurableObject(stub, async (object, state) => {
      await object.reserve([command]);
      await state.storage.deleteAlarm();
    });
    const { projection } = (await admin.call("GET", "/admin/reservations/metrics")).body as {
      projection: { undeliveredCount: number; oldestUndeliveredAt: string };
    };
    expect(projection.undeliveredCount).toBe(1);
    expect(Date.parse(projection.oldestUndeliveredAt)).toBeGreaterThanOrEqual(beforeMs);
  });

  it("show a tenant its own ticket types alone, page by page", async () => {
    const [sale, other] = [await openSale(), await openSale()];
    const body = { eventId: sale.eventId, name: "Balcony", priceCents: 1, quantity: 5 };
    const second = idOf(await sale.manager.call("POST", "/api/v1/tickets/types", { body }));
    const admin = await adminOf(sale);
    const seen: string[] = [];
    let query = "?limit=1";
    for (let page = 0; page < 3 && query; page += 1) {
      const answer = await admin.call("GET", `/admin/reservations/metrics${query}`);
      expect(answer.body).toMatchObject({ stock: { quantity: 15 } });
      const { items, nextCursor } = answer.body as { items: { ticketTypeId: string }[]; nextCursor: string | null };
      seen.push(...items.map((item) => item.ticketTypeId));
      query = nextCursor ? `?limit=1&cursor=${nextCursor}` : "";
    }
    expect(seen).toEqual([sale.typeId, second].toSorted());
    expect(seen).not.toContain(other.typeId);
  });
});

describe("the orphans", () => {
  it("are none in a sale where all went well: paid, given back, abandoned", async () => {
    const sale = await openSale({ priceCents: 0 });
    const admin = await adminOf(sale);
    await sellLongAgo(sale);
    const buyer = await sale.makeBuyer();
    const held = idOf(await hold(sale, buyer));
    await buyer.call("DELETE", `/api/v1/tickets/reservations/${held}`);
    await tellAll(sale);
    expect((await admin.call("GET", "/admin/reservations/orphans")).body).toEqual({ items: [], nextCursor: null });
  });

  it.each([
    ["NO_ORDER", "a sale whose order is nowhere", "UPDATE reservations SET order_id = 'nowhere' WHERE id = ?1"],
    [
      "FAILED_ORDER",
      "a sale whose order has ended without tickets",
      "UPDATE orders SET status = 'EXPIRED' WHERE reservation_id = ?1",
    ],
    ["STUCK_PENDING", "a sale whose order was never settled", "UPDATE orders SET status = 'PENDING' WHERE reservation_id = ?1"],
    [
      "STUCK_PENDING",
      "a hold that reads as held minutes after its time",
      "UPDATE reservations SET status = 'ACTIVE', expires_at_ms = created_at_ms - 400000 WHERE id = ?1",
    ],
  ])("show as %s %s", async (issue, _, damage) => {
    const sale = await openSale({ priceCents: 0 });
    const admin = await adminOf(sale);
    await sellLongAgo(sale);
    const { reservationId } = await sellLongAgo(sale);
    await env.DB.prepare(damage).bind(reservationId).run();
    expect((await admin.call("GET", "/admin/reservations/orphans")).body).toMatchObject({
      items: [{ reservationId, ticketTypeId: sale.typeId, issue }],
      nextCursor: null,
    });
    const stranger = await signIn("admin", crypto.randomUUID());
    expect((await stranger.call("GET", "/admin/reservations/orphans")).body).toMatchObject({ items: [] });
  });

  it("are no sales that went back on sale, and none that D1 may still be hearing of", async () => {
    const sale = await openSale({ priceCents: 0 });
    const admin = await adminOf(sale);
    const { reservationId } = await sellLongAgo(sale);
    const fresh = await sellLongAgo(sale);
    await env.DB.prepare("UPDATE orders SET status = 'EXPIRED' WHERE tenant_id = ?").bind(sale.tenantId).run();
    await env.DB.prepare("UPDATE reservation_history SET at_ms = ?2 WHERE reservation_id = ?1")
      .bind(fresh.reservationId, Date.now())
      .run();
    const restock = { tenantId: sale.tenantId, commandId: "c", reservationId, quantity: 1, actor: "desk", cause: "test" };
    await env.TICKET_TYPE_INVENTORY.getByName(sale.typeId).restock(restock);
    await tellAll(sale);
    await env.DB.prepare("UPDATE reservation_history SET at_ms = 1 WHERE reservation_id = ?").bind(reservationId).run();
    expect((await admin.call("GET", "/admin/reservations/orphans")).body).toMatchObject({ items: [] });
  });

  it("come page by page, each once", async () => {
    const sale = await openSale({ priceCents: 0 });
    const admin = await adminOf(sale);
    const made: string[] = [];
    for (let at = 0; at < 3; at += 1) made.push((await sellLongAgo(sale)).reservationId);
    await env.DB.prepare("UPDATE orders SET status = 'CANCELLED' WHERE tenant_id = ?").bind(sale.tenantId).run();
    const seen: string[] = [];
    let query: string | null = "";
    for (let page = 0; page < 5 && query !== null; page += 1) {
      const answer = await admin.call("GET", `/admin/reservations/orphans?limit=2${query}`);
      const { items, nextCursor } = answer.body as { items: { reservationId: string }[]; nextCursor: string | null };
      seen.push(...items.map((item) => item.reservationId));
      query = nextCursor === null ? null : `&cursor=${nextCursor}`;
    }
    expect(seen.toSorted()).toEqual(made.toSorted());
  });
});
