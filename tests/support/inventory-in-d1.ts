/** An inventory on sale, and what D1 has heard of it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { InventoryConfig, ReserveCommand } from "#domain/inventory-messages";
import type { TicketTypeInventory } from "#durable-objects/ticket-type-inventory/ticket-type-inventory";
import { insertEvent, insertTicketType, makeInventoryConfig } from "./inventory-fixture.ts";

/** An inventory. */
export type InventoryStub = DurableObjectStub<TicketTypeInventory>;

/** How long it holds. */
export const HOLD_SECONDS = 600;

/** A ticket type of 100 tickets, on sale, that D1 has. */
export async function openInventory(
  change: Partial<InventoryConfig> = {},
): Promise<{ config: InventoryConfig; stub: InventoryStub }> {
  const config = makeInventoryConfig({ capacity: 100, reservationTtlSeconds: HOLD_SECONDS, ...change });
  await insertEvent(config);
  await insertTicketType(config);
  const stub = env.TICKET_TYPE_INVENTORY.getByName(config.ticketTypeId);
  await stub.configure(config);
  return { config, stub };
}

/** Asks for tickets for somebody. */
export function makeHold(config: InventoryConfig, quantity = 1): ReserveCommand {
  return { tenantId: config.tenantId, reservationId: crypto.randomUUID(), userId: crypto.randomUUID(), quantity };
}

/** Runs the object's alarm until D1 has heard everything. */
export async function flushInventory(stub: InventoryStub): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    await runDurableObjectAlarm(stub);
    const waiting = await runInDurableObject(stub, (_, state) =>
      state.storage.sql.exec("SELECT seq FROM outbox LIMIT 1").toArray(),
    );
    if (waiting.length === 0) return;
    await scheduler.wait(5); // an alarm of the platform's own may be delivering
  }
  throw new Error("the outbox was not emptied");
}

/** The type's quantity and counters in D1. */
export async function readType(config: InventoryConfig): Promise<Record<string, unknown> | null> {
  return env.DB.prepare("SELECT quantity, held_count, sold_count, counters_seq FROM ticket_types WHERE id = ?")
    .bind(config.ticketTypeId)
    .first();
}

/** The type's reservations in D1, oldest first. */
export async function listReservations(config: InventoryConfig): Promise<Record<string, unknown>[]> {
  const statement = env.DB.prepare("SELECT * FROM reservations WHERE ticket_type_id = ? ORDER BY created_at_ms, id");
  return (await statement.bind(config.ticketTypeId).all()).results;
}

/** The type's history in D1, in order. */
export async function listHistory(config: InventoryConfig): Promise<Record<string, unknown>[]> {
  const statement = env.DB.prepare("SELECT * FROM reservation_history WHERE ticket_type_id = ? ORDER BY seq");
  return (await statement.bind(config.ticketTypeId).all()).results;
}
