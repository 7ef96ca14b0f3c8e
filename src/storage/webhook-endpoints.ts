import { and, asc, eq, gt, lt, ne, or, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { isNewerThan, type PageStart } from "./page-start.ts";
import { webhookDeliveries, webhookEndpoints } from "./schema.ts";

/** An endpoint as it is stored, its secrets sealed. */
export type WebhookEndpointRow = typeof webhookEndpoints.$inferSelect;

/** A new endpoint. */
export type NewEndpointRow = Pick<
  WebhookEndpointRow,
  "id" | "tenantId" | "url" | "description" | "eventTypes" | "sealedSecret" | "sealedWith" | "createdAtMs"
>;

const isThere = ne(webhookEndpoints.status, "DELETED");

/** One endpoint of a tenant that was not deleted. */
function isEndpoint({ tenantId, id }: { readonly tenantId: string; readonly id: string }) {
  return and(eq(webhookEndpoints.id, id), eq(webhookEndpoints.tenantId, tenantId), isThere);
}

/** Stores an endpoint. @returns false when its tenant has `limit` of them already, however many come at once. */
export async function insertEndpointRow(db: D1Database, row: NewEndpointRow, limit: number): Promise<boolean> {
  const { id, tenantId, url, description, eventTypes, sealedSecret, sealedWith, createdAtMs } = row;
  const inserted = await db
    .prepare(
      `INSERT INTO webhook_endpoints (id, tenant_id, url, description, event_types, sealed_secret, sealed_with, created_at_ms, status)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'ACTIVE'
       WHERE (SELECT count(*) FROM webhook_endpoints WHERE tenant_id = ?2 AND status <> 'DELETED') < ?9`,
    )
    .bind(id, tenantId, url, description, JSON.stringify(eventTypes), sealedSecret, sealedWith, createdAtMs, limit)
    .run();
  return inserted.meta.changes === 1;
}

/** An endpoint of the tenant; undefined when it has none of this id, or deleted it. */
export async function findEndpointRow(
  db: DrizzleD1Database,
  tenantId: string,
  id: string,
): Promise<WebhookEndpointRow | undefined> {
  return db.select().from(webhookEndpoints).where(isEndpoint({ tenantId, id })).get();
}

/** At most `limit` + 1 of the tenant's endpoints, the oldest first. */
export function listEndpointRows(
  db: DrizzleD1Database,
  query: {
    readonly tenantId: string;
    readonly limit: number;
    readonly after: PageStart | undefined;
  },
): Promise<WebhookEndpointRow[]> {
  const { createdAtMs, id } = webhookEndpoints;
  const isOnPage = isNewerThan([createdAtMs, id], query.after);
  return db
    .select()
    .from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.tenantId, query.tenantId), isThere, isOnPage))
    .orderBy(asc(createdAtMs), asc(id))
    .limit(query.limit + 1);
}

/** Ends an endpoint: its secrets are gone, and no attempt begins any more. @returns false when there was none. */
export async function endEndpoint(
  db: DrizzleD1Database,
  key: { readonly tenantId: string; readonly id: string },
  nowMs: number,
): Promise<boolean> {
  const ended = await db
    .update(webhookEndpoints)
    .set({ status: "DELETED", sealedSecret: "", previousSealedSecret: null, endedAtMs: nowMs, dueAtMs: null })
    .where(isEndpoint(key))
    .returning({ id: webhookEndpoints.id });
  return ended.length === 1;
}

/**
 * Gives an endpoint a new secret, and lets the one before sign too until `previousUntilMs`.
 * @returns the endpoint, or undefined when the tenant has none of this id or its secret has been changed since it was read.
 */
export async function replaceSecret(
  db: DrizzleD1Database,
  known: Pick<WebhookEndpointRow, "tenantId" | "id" | "sealedSecret">,
  change: Pick<WebhookEndpointRow, "sealedSecret" | "previousSealedSecret" | "previousUntilMs" | "sealedWith">,
): Promise<WebhookEndpointRow | undefined> {
  return db
    .update(webhookEndpoints)
    .set(change)
    .where(and(isEndpoint(known), eq(webhookEndpoints.sealedSecret, known.sealedSecret)))
    .returning()
    .get();
}

/** When an endpoint's next delivery is due, as a subquery; null when none waits. */
const nextDue = sql<number | null>`(SELECT min(${webhookDeliveries.nextAttemptAtMs}) FROM ${webhookDeliveries}
  WHERE ${webhookDeliveries.endpointId} = ${webhookEndpoints.id} AND ${webhookDeliveries.status} = 'PENDING')`;

/** Sends to an endpoint again, what waited for it first. @returns undefined when the tenant has none of this id. */
export async function activateEndpoint(
  db: DrizzleD1Database,
  key: { readonly tenantId: string; readonly id: string },
): Promise<WebhookEndpointRow | undefined> {
  return db
    .update(webhookEndpoints)
    .set({ status: "ACTIVE", endedAtMs: null, failingSinceMs: null, restsUntilMs: 0, dueAtMs: nextDue })
    .where(isEndpoint(key))
    .returning()
    .get();
}

/** At most `limit` endpoints, of any tenant, whose secrets are sealed with another key than this. */
export function listEndpointsSealedWithOthers(
  db: DrizzleD1Database,
  keyId: number,
  limit: number,
): Promise<WebhookEndpointRow[]> {
  const { sealedWith } = webhookEndpoints;
  return db
    .select()
    .from(webhookEndpoints)
    .where(and(or(lt(sealedWith, keyId), gt(sealedWith, keyId)), isThere))
    .limit(limit);
}

/** Forgets endpoints that were deleted before `beforeMs` and have no deliveries any more. @returns how many. */
export async function pruneEndpoints(db: D1Database, beforeMs: number, limit: number): Promise<number> {
  const statement = `DELETE FROM webhook_endpoints WHERE id IN (
    SELECT id FROM webhook_endpoints WHERE status = 'DELETED' AND ended_at_ms < ?1
      AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE endpoint_id = webhook_endpoints.id) LIMIT ?2)`;
  return (await db.prepare(statement).bind(beforeMs, limit).run()).meta.changes;
}
