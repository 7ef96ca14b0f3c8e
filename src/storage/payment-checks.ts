import type { OrderStatus, PaymentStatus } from "#domain/statuses";

/** The key of a payment's row. */
export interface PaymentKey {
  /** When its order was made. */
  readonly createdAtMs: number;
  readonly orderId: string;
  readonly provider: string;
  readonly paymentId: string;
}

/** A payment that is due to be asked for, with what its order says. Of any tenant: for the cron alone. */
export interface DueCheck extends PaymentKey {
  readonly paymentStatus: PaymentStatus;
  readonly checks: number;
  readonly orderStatus: OrderStatus;
  readonly holdExpiresAtMs: number;
}

/** What a check leaves behind; `nextCheckAtMs` is null when the payment is not asked for again. */
export interface CheckDone {
  readonly payment: PaymentKey;
  readonly checks: number;
  readonly nextCheckAtMs: number | null;
}

const DUE_CHECKS = `
  SELECT payments.created_at_ms AS createdAtMs, payments.provider, payments.payment_id AS paymentId, payments.order_id AS orderId, payments.status AS paymentStatus,
    payments.checks, orders.status AS orderStatus, orders.hold_expires_at_ms AS holdExpiresAtMs
  FROM payments JOIN orders ON orders.id = payments.order_id
  WHERE payments.next_check_at_ms <= ?1 ORDER BY payments.next_check_at_ms LIMIT ?2`;

/** A payment that is settled meanwhile has no next check any more, and gets none. */
const STORE_CHECK = `
  UPDATE payments SET checks = ?5, next_check_at_ms = ?6
  WHERE created_at_ms = ?1 AND order_id = ?2 AND provider = ?3 AND payment_id = ?4 AND next_check_at_ms IS NOT NULL`;

const KNOWN_EVENTS = `
  SELECT event_id AS id FROM payment_events WHERE provider = ?1 AND event_id IN (SELECT value FROM json_each(?2))`;

const STORE_CURSOR = `
  INSERT INTO undelivered_cursors (provider, since_ms) VALUES (?1, ?2)
  ON CONFLICT (provider) DO UPDATE SET since_ms = excluded.since_ms`;

/** Payments that are due at `nowMs`, the longest due first. */
export async function listDueChecks(db: D1Database, nowMs: number, limit: number): Promise<readonly DueCheck[]> {
  return (await db.prepare(DUE_CHECKS).bind(nowMs, limit).all<DueCheck>()).results;
}

/** Stores when each payment is asked for again, in one transaction. */
export async function storeChecks(db: D1Database, checks: readonly CheckDone[]): Promise<void> {
  if (checks.length === 0) return;
  const statement = db.prepare(STORE_CHECK);
  await db.batch(
    checks.map(({ payment: { createdAtMs, orderId, provider, paymentId }, checks: count, nextCheckAtMs }) =>
      statement.bind(createdAtMs, orderId, provider, paymentId, count, nextCheckAtMs),
    ),
  );
}

/** Those of the events that D1 has: a desk recorded them, or they were rejected. */
export async function listKnownEventIds(
  db: D1Database,
  provider: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = await db.prepare(KNOWN_EVENTS).bind(provider, JSON.stringify(eventIds)).all<{ id: string }>();
  return new Set(known.results.map((row) => row.id));
}

/** From when on a provider's undelivered events are still to be read; null when nothing was left over. */
export async function findUndeliveredCursor(db: D1Database, provider: string): Promise<number | null> {
  return db.prepare("SELECT since_ms FROM undelivered_cursors WHERE provider = ?1").bind(provider).first<number>("since_ms");
}

/** Remembers from when on they are to be read in the next run; null begins anew. */
export async function storeUndeliveredCursor(db: D1Database, provider: string, sinceMs: number | null): Promise<void> {
  const statement =
    sinceMs === null
      ? db.prepare("DELETE FROM undelivered_cursors WHERE provider = ?1").bind(provider)
      : db.prepare(STORE_CURSOR).bind(provider, sinceMs);
  await statement.run();
}
