import type { AttemptError, WebhookDeliveryStatus } from "#domain/statuses";
import type { EndpointHealth } from "#domain/webhook-delivery";

/** An endpoint that one run may send to, and nobody else until `leasedUntilMs`. */
export interface LeasedEndpoint {
  readonly id: string;
  readonly tenantId: string;
  readonly url: string;
  readonly sealedSecret: string;
  readonly previousSealedSecret: string | null;
  readonly previousUntilMs: number | null;
  readonly sealedWith: number;
  readonly failingSinceMs: number | null;
  readonly leasedUntilMs: number;
}

/** A delivery whose next attempt is due. */
export interface DueDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly body: string;
  readonly attempts: number;
  readonly failures: number;
}

/** What an attempt made of a delivery. `attempts` is what it had before: an attempt noted twice counts once. */
export interface StoredAttempt {
  readonly id: string;
  readonly attempts: number;
  readonly status: WebhookDeliveryStatus;
  readonly failures: number;
  readonly nextAttemptAtMs: number | null;
  readonly attemptedAtMs: number;
  readonly lastStatus: number | null;
  readonly lastError: AttemptError | null;
}

const LIST_DUE_ENDPOINTS = `
  SELECT id FROM webhook_endpoints
  WHERE status = 'ACTIVE' AND due_at_ms <= ?1 AND leased_until_ms <= ?1 AND rests_until_ms <= ?1 ORDER BY due_at_ms LIMIT ?2`;

/** Endpoints of any tenant with something to be sent now, the longest waiting first. */
export async function listDueEndpoints(db: D1Database, nowMs: number, limit: number): Promise<string[]> {
  const { results } = await db.prepare(LIST_DUE_ENDPOINTS).bind(nowMs, limit).all<{ id: string }>();
  return results.map(({ id }) => id);
}

const LEASE = `
  UPDATE webhook_endpoints SET leased_until_ms = ?3
  WHERE id = ?1 AND status = 'ACTIVE' AND due_at_ms <= ?2 AND leased_until_ms <= ?2 AND rests_until_ms <= ?2
  RETURNING id, tenant_id AS tenantId, url, sealed_secret AS sealedSecret, previous_sealed_secret AS previousSealedSecret,
    previous_until_ms AS previousUntilMs, sealed_with AS sealedWith, failing_since_ms AS failingSinceMs,
    leased_until_ms AS leasedUntilMs`;

/** Takes an endpoint for one run; undefined when it has nothing due, rests, is disabled or deleted, or another run has it. */
export async function leaseEndpoint(
  db: D1Database,
  endpointId: string,
  nowMs: number,
  leasedUntilMs: number,
): Promise<LeasedEndpoint | undefined> {
  return (await db.prepare(LEASE).bind(endpointId, nowMs, leasedUntilMs).first<LeasedEndpoint>()) ?? undefined;
}

// Asked for each group anew, so that nothing more is sent once the endpoint is deleted, disabled or leased by another run.
const LIST_DUE = `
  SELECT id, event_id AS eventId, body, attempts, failures FROM webhook_deliveries
  WHERE endpoint_id = ?1 AND status = 'PENDING' AND next_attempt_at_ms <= ?3
    AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = ?1 AND status = 'ACTIVE' AND leased_until_ms = ?2)
  ORDER BY next_attempt_at_ms LIMIT ?4`;

const STORE_ATTEMPTS = `
  UPDATE webhook_deliveries SET status = news.value ->> 2, failures = news.value ->> 3, next_attempt_at_ms = news.value ->> 4,
    last_attempt_at_ms = news.value ->> 5, last_status = news.value ->> 6, last_error = news.value ->> 7, attempts = attempts + 1
  FROM json_each(?1) AS news WHERE webhook_deliveries.id = news.value ->> 0 AND webhook_deliveries.attempts = news.value ->> 1`;

/** What a run has done so far and wants next. */
export interface RunProgress {
  readonly lease: LeasedEndpoint;
  readonly attempts: readonly StoredAttempt[];
  readonly nowMs: number;
  readonly limit: number;
}

/** Notes what became of a run's attempts and gives its next deliveries, the longest due first, in one round trip. */
export async function storeAttempts(db: D1Database, { lease, attempts, nowMs, limit }: RunProgress): Promise<DueDelivery[]> {
  const rows = attempts.map((attempt) => [
    attempt.id,
    attempt.attempts,
    attempt.status,
    attempt.failures,
    attempt.nextAttemptAtMs,
    attempt.attemptedAtMs,
    attempt.lastStatus,
    attempt.lastError,
  ]);
  const listDue = db.prepare(LIST_DUE).bind(lease.id, lease.leasedUntilMs, nowMs, limit);
  if (rows.length === 0) return (await listDue.all<DueDelivery>()).results;
  const [, due] = await db.batch<DueDelivery>([db.prepare(STORE_ATTEMPTS).bind(JSON.stringify(rows)), listDue]);
  return due?.results ?? [];
}

const RELEASE = `
  UPDATE webhook_endpoints SET leased_until_ms = 0, rests_until_ms = ?3, failing_since_ms = ?4, status = ?5, ended_at_ms = ?6,
    due_at_ms = (SELECT min(next_attempt_at_ms) FROM webhook_deliveries WHERE endpoint_id = ?1 AND status = 'PENDING')
  WHERE id = ?1 AND status = 'ACTIVE' AND leased_until_ms = ?2
  RETURNING max(due_at_ms, rests_until_ms) AS dueAtMs`;

/** Ends a run. @returns when the endpoint is due next; null when nothing waits for it, or nothing is sent to it any more. */
export async function releaseEndpoint(
  db: D1Database,
  lease: LeasedEndpoint,
  health: EndpointHealth,
  nowMs: number,
): Promise<number | null> {
  const isDisabled = health.disabledBecause !== null;
  const released = await db
    .prepare(RELEASE)
    .bind(
      lease.id,
      lease.leasedUntilMs,
      health.restsUntilMs ?? 0,
      health.failingSinceMs,
      isDisabled ? "DISABLED" : "ACTIVE",
      isDisabled ? nowMs : null,
    )
    .first<{ readonly dueAtMs: number | null }>();
  return isDisabled ? null : (released?.dueAtMs ?? null);
}
