/** A refund that is on its way and due to be asked about. Of any tenant: for the cron alone. */
export interface DueRefund {
  readonly id: string;
  readonly tenantId: string;
  readonly orderId: string;
  readonly provider: string;
  readonly paymentId: string;
  readonly providerRefundId: string | null;
  readonly amountCents: number;
  readonly currency: string;
  readonly checks: number;
}

/** What asking about a refund leaves behind. */
export interface RefundCheckDone {
  readonly id: string;
  readonly checks: number;
  readonly nextCheckAtMs: number;
}

const DUE_REFUNDS = `
  SELECT id, tenant_id AS tenantId, order_id AS orderId, provider, payment_id AS paymentId, provider_refund_id AS providerRefundId,
    amount_cents AS amountCents, currency, checks
  FROM refunds WHERE status = 'submitted' AND next_check_at_ms <= ?1 ORDER BY next_check_at_ms LIMIT ?2`;

const STORE_CHECKS = `
  UPDATE refunds SET checks = done.value ->> 1, next_check_at_ms = done.value ->> 2
  FROM json_each(?1) AS done WHERE refunds.id = done.value ->> 0`;

/** Refunds that are due at `nowMs`, the longest due first. */
export async function listDueRefunds(db: D1Database, nowMs: number, limit: number): Promise<readonly DueRefund[]> {
  return (await db.prepare(DUE_REFUNDS).bind(nowMs, limit).all<DueRefund>()).results;
}

/** Stores when each refund is asked about again. */
export async function storeRefundChecks(db: D1Database, checks: readonly RefundCheckDone[]): Promise<void> {
  if (checks.length === 0) return;
  const rows = checks.map(({ id, checks: count, nextCheckAtMs }) => [id, count, nextCheckAtMs]);
  await db.prepare(STORE_CHECKS).bind(JSON.stringify(rows)).run();
}
