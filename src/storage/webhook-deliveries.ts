import { and, desc, eq } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { webhookDeliveries } from "./schema.ts";

/** An event on its way to an endpoint. */
export type WebhookDeliveryRow = typeof webhookDeliveries.$inferSelect;

/** At most `limit` + 1 of an endpoint's deliveries, newest first. */
export function listDeliveryRows(
  db: DrizzleD1Database,
  query: {
    readonly tenantId: string;
    readonly endpointId: string;
    readonly limit: number;
    readonly after: PageStart | undefined;
  },
): Promise<WebhookDeliveryRow[]> {
  const { createdAtMs, id, endpointId, tenantId } = webhookDeliveries;
  const isOnPage = isOlderThan([createdAtMs, id], query.after);
  return db
    .select()
    .from(webhookDeliveries)
    .where(and(eq(endpointId, query.endpointId), eq(tenantId, query.tenantId), isOnPage))
    .orderBy(desc(createdAtMs), desc(id))
    .limit(query.limit + 1);
}

const REPLAY = `
  UPDATE webhook_deliveries SET status = 'PENDING', failures = 0, next_attempt_at_ms = ?4
  WHERE id = ?3 AND endpoint_id = ?2 AND tenant_id = ?1
  RETURNING id, tenant_id AS tenantId, endpoint_id AS endpointId, event_id AS eventId, event_type AS eventType, body, status,
    attempts, failures, next_attempt_at_ms AS nextAttemptAtMs, last_attempt_at_ms AS lastAttemptAtMs,
    last_status AS lastStatus, last_error AS lastError, created_at_ms AS createdAtMs`;

const END_REST = `
  UPDATE webhook_endpoints SET rests_until_ms = 0, due_at_ms = min(coalesce(due_at_ms, ?4), ?4)
  WHERE id = ?2 AND tenant_id = ?1 AND EXISTS (SELECT 1 FROM webhook_deliveries WHERE id = ?3 AND endpoint_id = ?2)`;

/**
 * Makes a delivery due at once, as if it had never failed, and ends its endpoint's rest.
 * @returns undefined when the endpoint has no such delivery.
 */
export async function makeDeliveryDue(
  db: D1Database,
  { tenantId, endpointId, id }: Pick<WebhookDeliveryRow, "tenantId" | "endpointId" | "id">,
  nowMs: number,
): Promise<WebhookDeliveryRow | undefined> {
  const [replayed] = await db.batch<WebhookDeliveryRow>([
    db.prepare(REPLAY).bind(tenantId, endpointId, id, nowMs),
    db.prepare(END_REST).bind(tenantId, endpointId, id, nowMs),
  ]);
  return replayed?.results[0];
}

/** Forgets deliveries made before `beforeMs`, whatever became of them. @returns how many; `limit` when there may be more. */
export async function pruneDeliveries(db: D1Database, beforeMs: number, limit: number): Promise<number> {
  const statement = `DELETE FROM webhook_deliveries WHERE id IN (
    SELECT id FROM webhook_deliveries WHERE created_at_ms < ?1 LIMIT ?2)`;
  return (await db.prepare(statement).bind(beforeMs, limit).run()).meta.changes;
}
