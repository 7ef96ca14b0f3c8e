/** A sale over HTTP, in a tenant of its own: an organiser, an event, one ticket type, buyers. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { z } from "zod";
import { deskName, deskNumberOf } from "#domain/ids";
import { signIn, type Caller, type CheckedAnswer } from "./contract-call.ts";

/** What {@link openSale} gives. */
export interface Sale {
  readonly tenantId: string;
  readonly eventId: string;
  readonly typeId: string;
  readonly manager: Caller;
  readonly path: string;
  makeBuyer(): Promise<Caller>;
  /** A purchase's body for so many tickets of the one type. */
  basket(quantity: number): Readonly<Record<string, unknown>>;
  readStock(): Promise<Readonly<Record<string, unknown>>>;
}

/** A valid event, to change where a test needs it. */
export const EVENT_BODY = {
  name: "Night of the Lamps",
  startsAt: "2031-05-01T18:00:00.000Z",
  endsAt: "2031-05-01T23:00:00.000Z",
  timezone: "Europe/Berlin",
  currency: "EUR",
} as const;

/** Opens a sale of ten tickets at 45.00 EUR, unless `type` says otherwise. */
export async function openSale(
  type: Readonly<Record<string, unknown>> = {},
  event: Readonly<Record<string, unknown>> = {},
): Promise<Sale> {
  const tenantId = crypto.randomUUID();
  const manager = await signIn("venue_manager", tenantId);
  const eventId = idOf(await manager.call("POST", "/api/v1/events", { body: { ...EVENT_BODY, ...event } }));
  const body = { eventId, name: "Floor", priceCents: 4_500, quantity: 10, ...type };
  const typeId = idOf(await manager.call("POST", "/api/v1/tickets/types", { body }));
  const path = `/api/v1/tickets/types/${typeId}`;
  return {
    tenantId,
    eventId,
    typeId,
    manager,
    path,
    makeBuyer: () => signIn("user", tenantId),
    basket: (quantity) => ({ eventId, tickets: [{ ticketTypeId: typeId, quantity }] }),
    // The inventory itself, because readers over HTTP may be half a second behind others' purchases.
    readStock: async () => {
      const { takenAtMs: _, ...stock } = { takenAtMs: 0, ...(await env.TICKET_TYPE_INVENTORY.getByName(typeId).snapshot()) };
      return stock;
    },
  };
}

/** The id of something just made. @throws showing the answer when nothing was. */
export function idOf(answer: CheckedAnswer): string {
  if (answer.status !== 201) throw new Error(`expected 201, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return z.string().parse(answer.body["id"]);
}

/** Buys so many tickets of the sale's type. */
export function buy(sale: Sale, buyer: Caller, quantity = 1, key: string = crypto.randomUUID()): Promise<CheckedAnswer> {
  return buyer.call("POST", "/api/v1/purchase", { key, body: sale.basket(quantity) });
}

/** Holds so many tickets of the sale's type. */
export function hold(sale: Sale, buyer: Caller, quantity = 1, key: string = crypto.randomUUID()): Promise<CheckedAnswer> {
  return buyer.call("POST", "/api/v1/tickets/purchase", { key, body: sale.basket(quantity) });
}

/** Runs the alarm of the order's desk. */
export async function runDeskOf(orderId: string): Promise<void> {
  await runDurableObjectAlarm(env.ORDER_DESK.getByName(deskName(deskNumberOf(orderId))));
}

/** Lets D1 hear what the order's desk knows. */
export async function flushDeskOf(orderId: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    await runDeskOf(orderId);
    const row = await env.DB.prepare("SELECT 1 FROM orders WHERE id = ?").bind(orderId).first();
    if (row) return;
    await scheduler.wait(10);
  }
  throw new Error("the order did not reach D1");
}
