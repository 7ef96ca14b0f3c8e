/** Ticket types for tests: their configuration, and the D1 rows that their projection refers to. */
import { env } from "cloudflare:workers";
import type { InventoryConfig } from "#domain/inventory-messages";
import type { InventoryNews, ReservationNews } from "#storage/reservations";

/** A configuration for a new ticket type of a new tenant, on sale now. */
export function makeInventoryConfig(change: Partial<InventoryConfig> = {}): InventoryConfig {
  return {
    tenantId: crypto.randomUUID(),
    eventId: crypto.randomUUID(),
    ticketTypeId: crypto.randomUUID(),
    capacity: 10,
    status: "ACTIVE",
    saleStartsAtMs: null,
    saleEndsAtMs: null,
    minPerOrder: 1,
    maxPerOrder: 10,
    maxPerUser: null,
    reservationTtlSeconds: 600,
    ...change,
  };
}

/** Inserts the event of `config`. */
export async function insertEvent(config: InventoryConfig): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO events (id, tenant_id, name, starts_at_ms, ends_at_ms, timezone, currency, created_at_ms, updated_at_ms)
     VALUES (?, ?, 'A night out', 1, 2, 'UTC', 'EUR', 1, 1)`,
  )
    .bind(config.eventId, config.tenantId)
    .run();
}

/** Inserts the ticket type of `config`, as the service does after it configured the inventory. */
export async function insertTicketType(config: InventoryConfig): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO ticket_types (id, tenant_id, event_id, number, name, price_cents, quantity, min_per_order, max_per_order,
       reservation_ttl_seconds, transferable, fee_cents, tax_rate_bps, status, created_at_ms, updated_at_ms)
     VALUES (?, ?, ?, 1, 'Standing', 1000, ?, ?, ?, ?, 1, 0, 0, ?, 1, 1)`,
  )
    .bind(
      config.ticketTypeId,
      config.tenantId,
      config.eventId,
      config.capacity,
      config.minPerOrder,
      config.maxPerOrder,
      config.reservationTtlSeconds,
      config.status,
    )
    .run();
}

/** News of an inventory that has made `seq` changes, each a ticket held. */
export function makeNews(config: InventoryConfig, changes: readonly ReservationNews[], seq: number): InventoryNews {
  const { tenantId, eventId, ticketTypeId, capacity } = config;
  const snapshot = { capacity, heldCount: seq, soldCount: 0, availableCount: capacity - seq, seq, takenAtMs: 1 };
  return { tenantId, eventId, ticketTypeId, changes, snapshot };
}

/** A change of a reservation of one ticket. */
export function makeChange(seq: number, status: ReservationNews["status"], reservationId: string): ReservationNews {
  const line = {
    reservationId,
    userId: crypto.randomUUID(),
    quantity: 1,
    changedQuantity: 1,
    restockedQuantity: 0,
    orderId: null,
  };
  return { seq, ...line, status, expiresAtMs: 10, createdAtMs: 1, actor: "somebody", cause: "something", atMs: seq };
}
