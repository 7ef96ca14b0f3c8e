/** Orders as a desk would tell D1 of them, in a tenant of their own, for tests of what D1 makes of the news. */
import { env } from "cloudflare:workers";
import { deriveId } from "#domain/ids";
import { newOrder, type OrderRecord } from "#domain/order";
import type { OrderView } from "#domain/order-messages";
import type { OrderStatus } from "#domain/statuses";
import { projectDeskNews, type DeskNews } from "#storage/desk-projection";

/** An event with one ticket type in D1, and orders of it. */
export async function makeSale() {
  const [tenantId, eventId, ticketTypeId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO events (id, tenant_id, name, starts_at_ms, ends_at_ms, timezone, currency, created_at_ms, updated_at_ms)
       VALUES (?, ?, 'Evening', 1, 2, 'UTC', 'EUR', 1, 1)`,
    ).bind(eventId, tenantId),
    env.DB.prepare(
      `INSERT INTO ticket_types (id, tenant_id, event_id, number, name, price_cents, quantity, min_per_order, max_per_order,
         reservation_ttl_seconds, transferable, fee_cents, tax_rate_bps, status, created_at_ms, updated_at_ms)
       VALUES (?, ?, ?, 1, 'Floor', 1000, 100, 1, 10, 600, 1, 0, 0, 'ACTIVE', 1, 1)`,
    ).bind(ticketTypeId, tenantId, eventId),
  ]);

  function makeOrder(orderNumber: string, changes: Partial<OrderView> = {}): OrderRecord {
    const id = deriveId(1, [tenantId, orderNumber]);
    const money = { subtotalCents: 2_000, discountCents: 0, feeCents: 0, taxCents: 0, totalCents: 2_000 };
    const line = {
      lineNumber: 1,
      ticketTypeId,
      name: "Floor",
      quantity: 2,
      unitPriceCents: 1_000,
      discountCents: 0,
      feeCents: 0,
      taxCents: 0,
      totalCents: 2_000,
    };
    const payment = {
      provider: "standard",
      paymentId: `pay-${id}`,
      status: "REQUIRES_ACTION",
      action: { type: "none" },
    } as const;
    const view = {
      id,
      tenantId,
      userId: "buyer",
      eventId,
      orderNumber,
      status: "PENDING",
      currency: "EUR",
      ...money,
      lines: [line],
    } as const;
    const rest = {
      reservationId: deriveId(1, ["hold", id]),
      holdExpiresAtMs: 10,
      walletAddress: null,
      payment,
      createdAtMs: 1,
      paidAtMs: null,
      refundedCents: 0,
    };
    return newOrder({ ...view, ...rest, ...changes }, "purchase", "hash");
  }

  const readStatus = async (id: string): Promise<unknown> =>
    (await env.DB.prepare("SELECT status FROM orders WHERE id = ?").bind(id).first())?.["status"];
  return { tenantId, eventId, makeOrder, readStatus };
}

/** The order so many versions later, in another status. */
export function later(
  record: OrderRecord,
  version: number,
  status: OrderStatus,
  changes: Partial<OrderRecord> = {},
): OrderRecord {
  return { ...record, ...changes, version, view: { ...record.view, status, ...changes.view } };
}

/** Tells D1 so much of a desk's news; the orders are new unless said otherwise. */
export async function project(news: Partial<DeskNews>): Promise<void> {
  await projectDeskNews(
    env.DB,
    { orders: [], newOrders: news.orders ?? [], tickets: [], recalls: [], paymentEvents: [], ...news },
    5,
  );
}
