import type { OrphanIssue } from "#domain/reconcile";

/** A reservation that binds stock, or seems to, without an order that stands behind it. */
export interface Orphan {
  readonly reservationId: string;
  readonly ticketTypeId: string;
  readonly issue: OrphanIssue;
  readonly userId: string;
  readonly orderId: string | null;
  readonly quantity: number;
  readonly expiresAtMs: number;
}

/** Where a search starts (after this key), and the bound that all ids of the tenant lie under. */
export interface OrphanRange {
  readonly afterId: string;
  readonly afterTypeId: string;
  readonly to: string;
}

/** A reservation's key. */
export interface ReservationKey {
  readonly reservationId: string;
  readonly ticketTypeId: string;
}

/** The rows one statement looks at, in the order of their keys; most of them are sound. */
const WINDOW = `
  SELECT * FROM reservations WHERE (id, ticket_type_id) > (?1, ?2) AND id < ?3 AND tenant_id = ?4
  ORDER BY id, ticket_type_id LIMIT ?5`;

/** A change is judged only when it is older than ?6: order and reservation reach D1 by different ways. */
const LIST_ORPHANS = `
  SELECT * FROM (
    SELECT r.id AS reservationId, r.ticket_type_id AS ticketTypeId, r.user_id AS userId, r.order_id AS orderId, r.quantity,
      r.expires_at_ms AS expiresAtMs,
      CASE
        WHEN r.status = 'ACTIVE' THEN CASE WHEN r.expires_at_ms < ?6 THEN 'STUCK_PENDING' END
        WHEN r.status <> 'COMPLETED' OR r.restocked_quantity >= r.quantity OR coalesce(h.at_ms, r.created_at_ms) >= ?6 THEN NULL
        WHEN o.id IS NULL THEN 'NO_ORDER'
        WHEN o.status IN ('EXPIRED', 'CANCELLED', 'PAYMENT_FAILED') THEN 'FAILED_ORDER'
        WHEN o.status = 'PENDING' THEN 'STUCK_PENDING'
      END AS issue
    FROM (${WINDOW}) AS r
    LEFT JOIN orders AS o ON o.id = r.order_id
    LEFT JOIN reservation_history AS h ON h.ticket_type_id = r.ticket_type_id AND h.seq = r.seq
  ) WHERE issue IS NOT NULL ORDER BY reservationId, ticketTypeId LIMIT ?7`;

const FIND_END = `
  SELECT id AS reservationId, ticket_type_id AS ticketTypeId FROM (${WINDOW}) ORDER BY id DESC, ticket_type_id DESC LIMIT 1`;

/**
 * Orphans among the next `window` reservations of the tenant, at most `limit`, by key.
 * @returns `end` is the last reservation that was looked at; undefined when there is none after it.
 */
export async function listOrphans(
  db: D1Database,
  tenantId: string,
  range: OrphanRange,
  search: { readonly window: number; readonly limit: number; readonly settledBeforeMs: number },
): Promise<{ readonly orphans: readonly Orphan[]; readonly end: ReservationKey | undefined }> {
  const where = [range.afterId, range.afterTypeId, range.to, tenantId, search.window] as const;
  const [found, ends] = await db.batch([
    db.prepare(LIST_ORPHANS).bind(...where, search.settledBeforeMs, search.limit),
    db.prepare(FIND_END).bind(...where),
  ]);
  const [end] = (ends?.results ?? []) as ReservationKey[]; // the statement names these columns
  const orphans = (found?.results ?? []) as Orphan[]; // and so does this one
  return { orphans, end };
}
