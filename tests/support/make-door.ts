/** An event with its gate, in a tenant of its own, for tests of the door. */
import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { AdmitCommand, GateConfig, GateTicketType } from "#domain/gate-messages";
import type { EventGate } from "#durable-objects/event-gate/event-gate";

/** What {@link makeDoor} gives. */
export interface Door {
  readonly tenantId: string;
  readonly eventId: string;
  readonly config: GateConfig;
  readonly type: GateTicketType;
  readonly gate: DurableObjectStub<EventGate>;
  /** Puts a sold ticket of the event into D1, with its order. @returns the ticket's id. */
  sellTicket(ticketId?: string, ownerUserId?: string): Promise<string>;
  /** The scans D1 knows of, in the gate's order. */
  listValidations(): Promise<Record<string, unknown>[]>;
  findTicket(ticketId: string): Promise<Record<string, unknown> | null>;
  /** Lets D1 catch up with the gate. Rows that D1 refuses stay behind, resting. */
  flush(): Promise<void>;
}

/** A verified scan for entry: of a ticket that nobody knows, with its first credential, unless the test says otherwise. */
export function entryScan(door: Door, changes: Partial<AdmitCommand> = {}): AdmitCommand {
  return {
    tenantId: door.tenantId,
    ticketId: crypto.randomUUID(),
    ticketTypeNumber: door.type.number,
    credentialEpoch: 0,
    listId: null,
    type: "entry",
    nonce: null,
    force: false,
    scannedBy: crypto.randomUUID(),
    scannedAtMs: Date.now(),
    ...changes,
  };
}

/** Runs the gate's alarm until nothing that is due waits in its outbox. */
async function flushGate(gate: DurableObjectStub<EventGate>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    await runDurableObjectAlarm(gate);
    const waiting = await runInDurableObject(gate, (_, state) =>
      state.storage.sql.exec("SELECT seq FROM outbox WHERE due_at_ms <= ?", Date.now()).toArray(),
    );
    if (waiting.length === 0) return;
    await scheduler.wait(10);
  }
  throw new Error("the gate's outbox did not empty");
}

const openDoors: Door[] = [];

/**
 * Empties each gate's outbox and stops its alarm. Call after each test: an alarm that fires while the test run ends keeps it
 * from ending, and most tests scan tickets that D1 never hears of.
 */
export async function closeDoors(): Promise<void> {
  for (const door of openDoors.splice(0)) {
    await runInDurableObject(door.gate, (_, state) => {
      state.storage.sql.exec("DELETE FROM outbox");
      return state.storage.deleteAlarm();
    });
  }
}

async function insertEvent(config: GateConfig, type: GateTicketType): Promise<void> {
  const { tenantId, eventId, startsAtMs, endsAtMs } = config;
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO events (id, tenant_id, name, starts_at_ms, ends_at_ms, timezone, currency, created_at_ms, updated_at_ms)
       VALUES (?, ?, 'Evening', ?, ?, 'UTC', 'EUR', 0, 0)`,
    ).bind(eventId, tenantId, startsAtMs, endsAtMs),
    env.DB.prepare(
      `INSERT INTO ticket_types (id, tenant_id, event_id, number, name, price_cents, quantity, min_per_order, max_per_order,
         reservation_ttl_seconds, transferable, fee_cents, tax_rate_bps, status, sold_count, created_at_ms, updated_at_ms)
       VALUES (?, ?, ?, ?, ?, 1000, 100, 1, 10, 600, 1, 0, 0, 'ACTIVE', 3, 0, 0)`,
    ).bind(type.ticketTypeId, tenantId, eventId, type.number, type.name),
  ]);
}

/** Makes an event that is on now, its one ticket type and its configured gate. */
export async function makeDoor(times: { readonly startsAtMs?: number; readonly endsAtMs?: number } = {}): Promise<Door> {
  const tenantId = crypto.randomUUID();
  const eventId = crypto.randomUUID();
  const config: GateConfig = {
    tenantId,
    eventId,
    startsAtMs: times.startsAtMs ?? Date.now() - 60_000,
    endsAtMs: times.endsAtMs ?? Date.now() + 3_600_000,
  };
  const type: GateTicketType = { number: 1, ticketTypeId: crypto.randomUUID(), name: "Floor" };
  const gate = env.EVENT_GATE.getByName(eventId);
  await insertEvent(config, type);
  await gate.configure(config);
  await gate.putTicketType(tenantId, type);

  async function sellTicket(
    ticketId: string = crypto.randomUUID(),
    ownerUserId: string = crypto.randomUUID(),
  ): Promise<string> {
    const orderId = crypto.randomUUID();
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO orders (id, tenant_id, order_number, user_id, event_id, status, currency, subtotal_cents, discount_cents,
           fee_cents, tax_cents, total_cents, reservation_id, hold_expires_at_ms, created_at_ms, seq)
         VALUES (?1, ?2, ?1, ?3, ?4, 'PAID', 'EUR', 1000, 0, 0, 0, 1000, ?1, 0, 0, 1)`,
      ).bind(orderId, tenantId, ownerUserId, eventId),
      env.DB.prepare(
        `INSERT INTO tickets (id, tenant_id, event_id, ticket_type_id, order_id, owner_user_id, status, credential_epoch, created_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, 'SOLD', 0, 0)`,
      ).bind(ticketId, tenantId, eventId, type.ticketTypeId, orderId, ownerUserId),
    ]);
    return ticketId;
  }

  const door: Door = {
    tenantId,
    eventId,
    config,
    type,
    gate,
    sellTicket,
    listValidations: async () =>
      (await env.DB.prepare("SELECT * FROM ticket_validations WHERE event_id = ? ORDER BY seq").bind(eventId).all()).results,
    findTicket: (ticketId) => env.DB.prepare("SELECT * FROM tickets WHERE id = ?").bind(ticketId).first(),
    flush: () => flushGate(gate),
  };
  openDoors.push(door);
  return door;
}
