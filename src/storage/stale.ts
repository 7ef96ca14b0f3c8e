/**
 * What looks as if an object had lost its alarm, and whom to wake. Of any tenant: for the cron alone. Statuses stand in the
 * text, not in parameters: only so may SQLite use an index of the open rows alone.
 */
import type { DiscountCap } from "#domain/inventory-messages";

/** Rows looked at to find the objects they belong to. */
const ROWS_LOOKED_AT = 2_000;

const STALE_HOLDS = `
  SELECT DISTINCT ticket_type_id AS id FROM (
    SELECT ticket_type_id FROM reservations WHERE status = 'ACTIVE' AND expires_at_ms < ?1
    ORDER BY expires_at_ms LIMIT ${ROWS_LOOKED_AT})`;

const STALE_ORDERS = `
  SELECT id FROM orders WHERE status IN ('PENDING', 'PAYMENT_FAILED') AND hold_expires_at_ms < ?1
  ORDER BY hold_expires_at_ms LIMIT ${ROWS_LOOKED_AT}`;

const STALE_REFUNDS = `
  SELECT order_id AS id FROM refunds WHERE status = 'created' AND created_at_ms < ?1 ORDER BY created_at_ms LIMIT ${ROWS_LOOKED_AT}`;

const TYPES_BETWEEN = `
  SELECT ticket_types.id AS ticketTypeId, ticket_types.event_id AS eventId, ticket_types.tenant_id AS tenantId
  FROM ticket_types JOIN events ON events.id = ticket_types.event_id
  WHERE ticket_types.id >= ?1 AND ticket_types.id < ?2 AND events.ends_at_ms > ?3
  ORDER BY ticket_types.id < ?4, ticket_types.id LIMIT ?5`;

const CAPPED_BETWEEN = `
  SELECT id, max_uses IS NOT NULL OR rule ->> 'maxUsesPerUser' IS NOT NULL AS hasUses,
    rule ->> '$.rule.firstTickets' IS NOT NULL AS hasFirstTickets
  FROM discounts WHERE id >= ?1 AND id < ?2 AND (hasUses OR hasFirstTickets) AND (archived_at_ms IS NULL OR archived_at_ms > ?3)
  ORDER BY id < ?4, id LIMIT ?5`;

/** A discount and its caps, each with an inventory of its own. */
export interface CappedDiscount {
  readonly id: string;
  readonly caps: readonly DiscountCap[];
}

/** A ticket type and whose it is. */
export interface TypeInTurn {
  readonly ticketTypeId: string;
  readonly eventId: string;
  readonly tenantId: string;
}

/** Ticket types with holds that ended before `beforeMs` and still read as held. */
export async function listTypesWithStaleHolds(db: D1Database, beforeMs: number): Promise<readonly string[]> {
  return listIds(db.prepare(STALE_HOLDS).bind(beforeMs));
}

/** Orders that their desk should have seen to before `beforeMs`: unpaid with an ended hold, or with a refund nobody was asked for. */
export async function listStaleOrderIds(db: D1Database, beforeMs: number): Promise<readonly string[]> {
  const [orders, refunds] = await Promise.all([
    listIds(db.prepare(STALE_ORDERS).bind(beforeMs)),
    listIds(db.prepare(STALE_REFUNDS).bind(beforeMs)),
  ]);
  return [...orders, ...refunds];
}

/** Ticket types with ids from `from` up to `to` whose event had not ended at `endsAfterMs`: those from `first` on, then the others. */
export async function listTypesBetween(
  db: D1Database,
  range: {
    readonly from: string;
    readonly to: string;
    readonly first: string;
    readonly endsAfterMs: number;
    readonly limit: number;
  },
): Promise<readonly TypeInTurn[]> {
  const { from, to, first, endsAfterMs, limit } = range;
  return (await db.prepare(TYPES_BETWEEN).bind(from, to, endsAfterMs, first, limit).all<TypeInTurn>()).results;
}

/** Capped discounts with ids from `from` up to `to` that were not archived before `archivedAfterMs`: those from `first` on, then the others. */
export async function listCappedBetween(
  db: D1Database,
  range: {
    readonly from: string;
    readonly to: string;
    readonly first: string;
    readonly archivedAfterMs: number;
    readonly limit: number;
  },
): Promise<readonly CappedDiscount[]> {
  const { from, to, first, archivedAfterMs, limit } = range;
  const statement = db.prepare(CAPPED_BETWEEN).bind(from, to, archivedAfterMs, first, limit);
  const { results } = await statement.all<{ id: string; hasUses: number; hasFirstTickets: number }>();
  return results.map(({ id, hasUses, hasFirstTickets }) => {
    const isThere: Readonly<Record<DiscountCap, number>> = { uses: hasUses, first_tickets: hasFirstTickets };
    return { id, caps: (["uses", "first_tickets"] as const).filter((cap) => isThere[cap] === 1) };
  });
}

async function listIds(statement: D1PreparedStatement): Promise<string[]> {
  return (await statement.all<{ id: string }>()).results.map((row) => row.id);
}
