const PRUNE_NONCES = `
  DELETE FROM webhook_nonces WHERE (received_at_ms, provider, webhook_id) IN (
    SELECT received_at_ms, provider, webhook_id FROM webhook_nonces WHERE received_at_ms < ?1 LIMIT ?2)`;

const PRUNE_KEYS = `
  DELETE FROM idempotency_keys WHERE (created_at_ms, id) IN (
    SELECT created_at_ms, id FROM idempotency_keys WHERE created_at_ms < ?1 LIMIT ?2)`;

const PRUNE_CHALLENGES = `
  DELETE FROM wallet_claims WHERE id IN (SELECT id FROM wallet_claims WHERE expires_at_ms < ?1 LIMIT ?2)`;

/** Forgets webhook ids received before `beforeMs`. @returns how many; `limit` when there may be more. */
export async function pruneWebhookNonces(db: D1Database, beforeMs: number, limit: number): Promise<number> {
  return (await db.prepare(PRUNE_NONCES).bind(beforeMs, limit).run()).meta.changes;
}

/** Forgets Idempotency-Keys used before `beforeMs`. @returns how many; `limit` when there may be more. */
export async function pruneIdempotencyKeys(db: D1Database, beforeMs: number, limit: number): Promise<number> {
  return (await db.prepare(PRUNE_KEYS).bind(beforeMs, limit).run()).meta.changes;
}

/** Forgets challenges to prove a wallet, answered or not, that expired before `beforeMs`. @returns how many; `limit` when there may be more. */
export async function pruneChallenges(db: D1Database, beforeMs: number, limit: number): Promise<number> {
  return (await db.prepare(PRUNE_CHALLENGES).bind(beforeMs, limit).run()).meta.changes;
}
