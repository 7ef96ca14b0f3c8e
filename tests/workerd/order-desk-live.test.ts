/** The desk as it is deployed: called over RPC, with real inventories, thrown out of memory between calls. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { deriveId, deskName, deskNumberFor, deskNumberOf, hashParts } from "#domain/ids";
import type { PlaceCommand } from "#domain/order-messages";
import { priceBasket } from "#domain/pricing";
import { insertEvent, insertTicketType, makeInventoryConfig } from "../support/inventory-fixture.ts";
import { newsOfOrder } from "../support/payment-news.ts";

type Desk = ReturnType<typeof deskOf>;

function deskOf(id: string) {
  return env.ORDER_DESK.getByName(deskName(deskNumberOf(id)));
}

/** A ticket type on sale in a new tenant with two desks, and purchases of one ticket of it. */
async function openSale(capacity: number) {
  const config = makeInventoryConfig({ capacity });
  await insertEvent(config);
  await insertTicketType(config);
  const inventory = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await inventory.configure(config);
  const { tenantId, eventId, ticketTypeId } = config;
  const types = new Map([[ticketTypeId, { ticketTypeId, name: "Standing", priceCents: 1_000, feeCents: 0, taxRateBps: 0 }]]);
  const purchase = (buyer: number): PlaceCommand => {
    const userId = `buyer-${buyer}`;
    const requestId = deriveId(deskNumberFor(tenantId, userId, 2), [tenantId, userId, "purchase", "key"]);
    const request = { tenantId, userId, requestId, route: "purchase", bodyHash: hashParts(["body"]) };
    return { request, eventId, ...priceBasket([{ ticketTypeId, quantity: 1 }], types, "EUR"), walletAddress: null };
  };
  const pay = (orderId: string) => deskOf(orderId).settle(newsOfOrder(orderId, { eventId: `event-${orderId}` }));
  return { tenantId, inventory, purchase, pay };
}

/** Runs the desk's alarm until its outbox is empty. */
async function flush(desk: Desk): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    await runDurableObjectAlarm(desk);
    const waiting = await runInDurableObject(
      desk,
      (_, state) => state.storage.sql.exec("SELECT 1 FROM outbox").toArray().length,
    );
    if (waiting === 0) return;
    await scheduler.wait(20);
  }
  throw new Error("the desk's outbox did not empty");
}

it("an order outlives its desk's memory at every stage, and its answers stay the same", async () => {
  const { tenantId, inventory, purchase, pay } = await openSale(2);
  const command = purchase(1);
  const orderId = command.request.requestId;
  const first = await deskOf(orderId).place(command);
  await evictDurableObject(deskOf(orderId));
  expect(await deskOf(orderId).place(command)).toMatchObject({ ...first, stock: [], replayed: true });
  await evictDurableObject(inventory);
  expect(await pay(orderId)).toBe("recorded");
  await evictDurableObject(deskOf(orderId));
  expect(await pay(orderId)).toBe("duplicate");
  expect(await deskOf(orderId).findOrder(tenantId, orderId)).toMatchObject({ status: "AWAITING_MINT" });
  await flush(deskOf(orderId));
  const rows = await env.DB.prepare("SELECT o.status, t.id FROM orders o JOIN tickets t ON t.order_id = o.id WHERE o.id = ?")
    .bind(orderId)
    .all();
  const [ticket] = await deskOf(orderId).listTicketsOfOrder(tenantId, orderId);
  expect(rows.results).toMatchObject([{ id: ticket?.id }]);
  expect(await inventory.snapshot()).toMatchObject({ soldCount: 1, heldCount: 0 });
});

it(
  "1,000 buyers at two desks at once get the 900 tickets there are, each under a number of its own",
  { timeout: 60_000 },
  async () => {
    const { tenantId, inventory, purchase } = await openSale(900);
    const commands = Array.from({ length: 1_000 }, (_, buyer) => purchase(buyer));
    const answers = await Promise.all(commands.map((command) => deskOf(command.request.requestId).place(command)));
    const placed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.failure.code]));
    expect(placed).toHaveLength(900);
    expect(refused).toEqual(Array.from({ length: 100 }, () => "sold_out"));
    expect(new Set(placed.map((order) => order.orderNumber)).size).toBe(900);
    expect(await inventory.snapshot()).toMatchObject({ heldCount: 900, availableCount: 0 });
    for (const desk of new Set(commands.map((command) => deskNumberOf(command.request.requestId)))) {
      await flush(env.ORDER_DESK.getByName(deskName(desk)));
    }
    const count = await env.DB.prepare("SELECT COUNT(*) AS n FROM orders WHERE tenant_id = ?").bind(tenantId).first("n");
    expect(count).toBe(900);
  },
);

it(
  "10,000 attempts at two desks on 50 tickets place exactly 50 orders, and each of them is paid",
  { timeout: 60_000 },
  async () => {
    const { inventory, purchase, pay } = await openSale(50);
    const commands = Array.from({ length: 10_000 }, (_, buyer) => purchase(buyer));
    const answers = await Promise.all(commands.map((command) => deskOf(command.request.requestId).place(command)));
    const placed = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    expect(placed).toHaveLength(50);
    expect(await Promise.all(placed.map((order) => pay(order.id)))).toEqual(placed.map(() => "recorded"));
    expect(await inventory.snapshot()).toMatchObject({ heldCount: 0, soldCount: 50, availableCount: 0 });
  },
);
