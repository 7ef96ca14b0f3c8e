/** What organisers' systems are told of a sale: that an order was paid, and that a ticket was minted. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { OrderRecord } from "#domain/order";
import { ticketsOf } from "#domain/order-tickets";
import { projectDeskNews } from "#storage/desk-projection";
import { storeMinted } from "#storage/mint-jobs";
import { inDeskWorld } from "../support/desk-world.ts";
import { db, findJob, makeMintBench, messagesOf, NOW_MS, type MintBench } from "../support/mint-bench.ts";
import { payOrder, refundOf } from "../support/paid-order.ts";
import { later, makeSale, project } from "../support/projected-sale.ts";
import { sellTickets } from "../support/sold-tickets.ts";
import { listEvents, wantEvents } from "../support/want-events.ts";

function pay(placed: OrderRecord): OrderRecord {
  return later(placed, 2, "AWAITING_MINT", { view: { ...placed.view, status: "AWAITING_MINT", paidAtMs: 4 } });
}

describe("a paid order", () => {
  it("is told of once, however often and in whatever state D1 hears of it", async () => {
    const sale = await makeSale();
    await wantEvents(sale);
    const placed = sale.makeOrder("ORD-1");
    const paid = pay(placed);
    await project({ orders: [placed], newOrders: [placed] });
    expect(await listEvents(sale.tenantId, "order.paid")).toEqual([]);
    // News of the order brings its latest state, so that it may be paid before its tickets are told of.
    await project({ orders: [paid] });
    for (const _ of ["told", "told again"]) await project({ orders: [paid], tickets: ticketsOf(paid) });
    await project({ orders: [later(paid, 3, "REFUNDED", {})] });
    const { id: orderId, orderNumber, eventId, userId } = paid.view;
    const facts = { orderId, orderNumber, eventId, userId, currency: "EUR", totalCents: 2_000 };
    expect(await listEvents(sale.tenantId, "order.paid")).toEqual([facts]);
  });

  it("leaves nothing behind where nobody wants to hear of it, beside one of whom somebody does", async () => {
    const [wanting, disabled, silent] = [await makeSale(), await makeSale(), await makeSale()];
    await wantEvents(wanting);
    await wantEvents(disabled, "DISABLED");
    const orders = [wanting, disabled, silent].flatMap((sale) => [pay(sale.makeOrder("ORD-1")), pay(sale.makeOrder("ORD-2"))]);
    await project({ orders, newOrders: orders, tickets: orders.flatMap(ticketsOf) });
    const told = await Promise.all([wanting, disabled, silent].map(({ tenantId }) => listEvents(tenantId, "order.paid")));
    expect(told.map((events) => events.map(({ orderNumber }) => orderNumber))).toEqual([["ORD-1", "ORD-2"], [], []]);
    const rows = await env.DB.prepare("SELECT count(*) AS rows FROM outbox WHERE tenant_id IN (?, ?)")
      .bind(disabled.tenantId, silent.tenantId)
      .first("rows");
    expect(rows).toBe(0);
  });

  it("costs a tenant without endpoints a statement a delivery, and no row written", async () => {
    const sale = await makeSale();
    const counted: { statements: number; written: number }[] = [];
    const counting = new Proxy(env.DB, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (name === "batch") {
          return async (statements: D1PreparedStatement[]) => {
            const results = await target.batch(statements);
            counted.push({
              statements: statements.length,
              written: results[0]?.meta.rows_written ?? -1, // that of the events comes first
            });
            return results;
          };
        }
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    const orders = Array.from({ length: 50 }, (_, at) => pay(sale.makeOrder(`ORD-${at}`)));
    const news = { orders, newOrders: orders, tickets: orders.flatMap(ticketsOf), recalls: [], paymentEvents: [] };
    expect(await projectDeskNews(counting, news, 1)).toBe(false);
    expect(counted).toEqual([{ statements: 7, written: 0 }]);
  });

  it("has the queue told, once its event is in D1, and so has a cancelled ticket; without endpoints nobody is told", () =>
    inDeskWorld(async (world) => {
      await world.addType(4);
      const desk = world.openDesk();
      await payOrder(world, desk, [1]);
      await world.settleDown(desk);
      expect(world.announced).toEqual([]);
      await wantEvents(world);
      const { orderId } = await payOrder(world, desk, [1], "another");
      await world.settleDown(desk);
      expect(world.announced).toEqual([{ endpointId: null }]);
      await desk.refund(refundOf(world, orderId, "r"));
      await world.settleDown(desk);
      expect(world.announced).toHaveLength(2);
      expect(await listEvents(world.tenantId, "order.paid")).toMatchObject([{ orderId }]);
    }));
});

describe("a minted ticket", () => {
  let bench: MintBench;
  beforeEach(() => {
    bench = makeMintBench();
    bench.minter.seen = "succeeded";
  });

  it("is told of once, with its asset, to a tenant that wants to hear", async () => {
    const [sold, silent] = [await sellTickets(db, 2), await sellTickets(db, 1)];
    await wantEvents(sold);
    const messages = [...messagesOf(sold), ...messagesOf(silent)];
    for (const delivery of [1, 2, 3]) await bench.consume(messages, delivery);
    const { tenantId, orderId, eventId, userId } = sold;
    for (const ticketId of sold.ticketIds) {
      const { signature } = (await findJob(ticketId)) ?? {};
      const again = {
        tenantId,
        ticketId,
        orderId,
        signature: signature ?? "",
        treeAddress: null,
        assetId: "asset",
        leafIndex: 7,
      };
      await storeMinted(db, [again], NOW_MS);
    }
    const told = await listEvents(tenantId, "ticket.minted");
    expect(told.map(({ ticketId }) => ticketId)).toEqual(expect.arrayContaining([...sold.ticketIds]));
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ orderId, eventId, ownerUserId: userId, assetId: "asset" });
    expect(await listEvents(silent.tenantId, "ticket.minted")).toEqual([]);
  });

  it("is not told of by a signature that was replaced", async () => {
    const sold = await sellTickets(db, 1);
    await wantEvents(sold);
    const { tenantId, orderId } = sold;
    const minted = { tenantId, ticketId: sold.ticketIds[0] ?? "", orderId, treeAddress: null, assetId: "a", leafIndex: 1 };
    await storeMinted(db, [{ ...minted, signature: "of another transaction" }], NOW_MS);
    expect(await listEvents(tenantId, "ticket.minted")).toEqual([]);
  });
});
