import type { OutgoingEvent } from "#domain/webhook-delivery";

/** An event with the endpoints that want it; none when nobody does. */
export interface WantedEvent extends OutgoingEvent {
  readonly endpointIds: readonly string[];
}

/** An event on its way to one endpoint. */
export interface NewDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly outboxId: number;
  readonly eventId: string;
  readonly body: string;
}

/**
 * True, in a statement over `tickets`, when the ticket's tenant has an active endpoint. Whoever writes an event asks this in the
 * statement that writes it, so that tenants without endpoints leave no rows behind.
 */
export const TENANT_WANTS_EVENTS = `EXISTS (SELECT 1 FROM webhook_endpoints
  WHERE webhook_endpoints.tenant_id = tickets.tenant_id AND webhook_endpoints.status = 'ACTIVE')`;

const LIST_WANTED = `
  SELECT event.id AS outboxId, event.tenant_id AS tenantId, event.topic, event.body, event.created_at_ms AS createdAtMs,
    webhook_endpoints.id AS endpointId
  FROM (SELECT * FROM outbox WHERE next_attempt_at_ms <= ?1 ORDER BY next_attempt_at_ms, id LIMIT ?2) AS event
  LEFT JOIN webhook_endpoints ON webhook_endpoints.tenant_id = event.tenant_id AND webhook_endpoints.status = 'ACTIVE'
    AND (webhook_endpoints.event_types = '[]'
      OR event.topic IN (SELECT value FROM json_each(webhook_endpoints.event_types)))`;

/** The oldest events that nobody was told of yet, at most `limit`, each with the active endpoints of its tenant that want it. */
export async function listWantedEvents(db: D1Database, nowMs: number, limit: number): Promise<WantedEvent[]> {
  const { results } = await db
    .prepare(LIST_WANTED)
    .bind(nowMs, limit)
    .all<OutgoingEvent & { readonly endpointId: string | null }>();
  const byId = new Map<number, WantedEvent>();
  for (const { endpointId, ...event } of results) {
    const endpointIds = [...(byId.get(event.outboxId)?.endpointIds ?? []), ...(endpointId === null ? [] : [endpointId])];
    byId.set(event.outboxId, { ...event, endpointIds });
  }
  return [...byId.values()];
}

// Only of events that are still there: of two that read the same events, the second one finds them gone and writes nothing.
const INSERT_DELIVERIES = `
  INSERT INTO webhook_deliveries
    (id, tenant_id, endpoint_id, event_id, event_type, body, status, next_attempt_at_ms, created_at_ms)
  SELECT news.value ->> 0, outbox.tenant_id, news.value ->> 1, news.value ->> 3, outbox.topic, news.value ->> 4, 'PENDING', ?2, ?2
  FROM json_each(?1) AS news CROSS JOIN outbox ON outbox.id = news.value ->> 2
  WHERE TRUE
  ON CONFLICT (id) DO NOTHING`;

const MAKE_DUE = `
  UPDATE webhook_endpoints SET due_at_ms = ?2
  WHERE id IN (SELECT value ->> 1 FROM json_each(?1)) AND (due_at_ms IS NULL OR due_at_ms > ?2)`;

const DELETE_EVENTS = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))";

/** Turns events into their deliveries, all in one transaction. Those that nobody wants are only taken out. */
export async function storeDeliveries(
  db: D1Database,
  outboxIds: readonly number[],
  deliveries: readonly NewDelivery[],
  nowMs: number,
): Promise<void> {
  const rows = JSON.stringify(
    deliveries.map(({ id, endpointId, outboxId, eventId, body }) => [id, endpointId, outboxId, eventId, body]),
  );
  await db.batch([
    db.prepare(INSERT_DELIVERIES).bind(rows, nowMs),
    db.prepare(MAKE_DUE).bind(rows, nowMs),
    db.prepare(DELETE_EVENTS).bind(JSON.stringify(outboxIds)),
  ]);
}
