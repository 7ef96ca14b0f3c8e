/** A tenant that wants events and gets none: its endpoint is taken by a run that never ends, so what is written for it stays to be read. */
import { env } from "cloudflare:workers";

const NEVER_MS = 9_000_000_000_000;

/** Gives the tenant an endpoint, active unless said otherwise. */
export async function wantEvents({ tenantId }: { readonly tenantId: string }, status = "ACTIVE"): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO webhook_endpoints (id, tenant_id, url, event_types, sealed_secret, sealed_with, status, created_at_ms, leased_until_ms)
     VALUES (?, ?, 'https://hooks.example.org', '[]', 'sealed', 1, ?, 1, ?)`,
  )
    .bind(crypto.randomUUID(), tenantId, status, NEVER_MS)
    .run();
}

/** What events of a topic say that were written for a tenant, whether they are announced already or not, in no order. */
export async function listEvents(tenantId: string, topic: string): Promise<Readonly<Record<string, unknown>>[]> {
  const { results } = await env.DB.prepare(
    `SELECT body FROM outbox WHERE tenant_id = ?1 AND topic = ?2
     UNION ALL SELECT body ->> 'data' FROM webhook_deliveries WHERE tenant_id = ?1 AND event_type = ?2`,
  )
    .bind(tenantId, topic)
    .all<{ body: string }>();
  return results.map(({ body }) => JSON.parse(body) as Readonly<Record<string, unknown>>); // objects, by D1's CHECK and our own body
}
