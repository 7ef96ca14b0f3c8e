import type { OrphanIssue } from "#domain/reconcile";
import { BY_TYPE_AND_AGE, RESERVATIONS_AFTER, type ReservationKey } from "./reservation-keys.ts";

/** A reservation that binds stock, or seems to, without an order that stands behind it. */
export interface Orphan extends ReservationKey {
  readonly issue: OrphanIssue;
  readonly userId: string;
  readonly orderId: string | null;
  readonly quantity: number;
  readonly expiresAtMs: number;
}

/** The rows one statement looks at, in the order of their keys; most of them are sound. */
const WINDOW = `SELECT reservations.* FROM ${RESERVATIONS_AFTER} ORDER BY ${BY_TYPE_AND_AGE} LIMIT ?5`;

/** A change is judged only when it is older than ?6: order and reservation reach D1 by different ways. */
const LIST_ORPHANS = `
  SELECT * FROM (
    SELECT r.ticket_type_id AS ticketTypeId, r.created_at_ms AS createdAtMs, r.id AS reservationId, r.user_id AS userId, r.order_id AS orderId, r.quantity,
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
  ) WHERE issue IS NOT NULL ORDER BY ticketTypeId, createdAtMs, reservationId LIMIT ?7`;

const FIND_END = `
  SELECT ticket_type_id AS ticketTypeId, created_at_ms AS createdAtMs, id AS reservationId FROM (${WINDOW})
  ORDER BY ticket_type_id DESC, created_at_ms DESC, id DESC LIMIT 1`;

/**
 * Orphans among the next `window` reservations of the tenant, at most `limit`, by key.
 * @returns `end` is the last reservation that was looked at; undefined when there is none after it.
 */
export async function listOrphans(
  db: D1Database,
  tenantId: string,
  after: ReservationKey,
  search: { readonly window: number; readonly limit: number; readonly settledBeforeMs: number },
): Promise<{ readonly orphans: readonly Orphan[]; readonly end: ReservationKey | undefined }> {
  const where = [after.ticketTypeId, after.createdAtMs, after.reservationId, tenantId, search.window] as const;
  const [found, ends] = await db.batch([
    db.prepare(LIST_ORPHANS).bind(...where, search.settledBeforeMs, search.limit),
    db.prepare(FIND_END).bind(...where),
  ]);
  const [end] = (ends?.results ?? []) as ReservationKey[]; // the statement names these columns
  const orphans = (found?.results ?? []) as Orphan[]; // and so does this one
  return { orphans, end };
}
