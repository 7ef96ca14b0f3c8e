import type { ReservationStatus } from "#domain/statuses";

/** Reservations counted at most: a count reads each row. */
export const MOST_RESERVATIONS_COUNTED = 200_000;

/** Stock of one or more ticket types as D1 has it, in tickets. */
export interface StockSums {
  readonly quantity: number;
  readonly heldCount: number;
  readonly soldCount: number;
}

/** A ticket type with its stock as D1 has it. */
export interface TypeStock extends StockSums {
  readonly ticketTypeId: string;
  readonly eventId: string;
  readonly name: string;
}

/** Reservations of one ticket type in one status. */
export interface StatusCount {
  readonly ticketTypeId: string;
  readonly status: ReservationStatus;
  readonly reservationCount: number;
}

/** What D1 knows of a tenant's reservations. */
export interface ReservationFigures {
  readonly totals: StockSums & { readonly typeCount: number };
  /** Ticket types of the page, by id, and one more when there is a next page. */
  readonly types: readonly TypeStock[];
  readonly counts: readonly StatusCount[];
}

const SUM_STOCK = `
  SELECT count(*) AS typeCount, coalesce(sum(quantity), 0) AS quantity, coalesce(sum(held_count), 0) AS heldCount,
    coalesce(sum(sold_count), 0) AS soldCount
  FROM ticket_types WHERE tenant_id = ?1`;

const LIST_TYPES = `
  SELECT id AS ticketTypeId, event_id AS eventId, name, quantity, held_count AS heldCount, sold_count AS soldCount
  FROM ticket_types WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3`;

const COUNT_STATUSES = `
  SELECT ticket_type_id AS ticketTypeId, status, count(*) AS reservationCount
  FROM (SELECT ticket_type_id, reservations.status
    FROM ticket_types CROSS JOIN reservations ON reservations.ticket_type_id = ticket_types.id
    WHERE ticket_types.tenant_id = ?1 LIMIT ${MOST_RESERVATIONS_COUNTED})
  GROUP BY ticket_type_id, status`;

/**
 * The tenant's stock, a page of its ticket types, and its reservations by type and status, in one round trip. At most 200,000
 * reservations are counted; the sum of the counts tells when there are more.
 */
export async function readReservationFigures(
  db: D1Database,
  tenantId: string,
  page: { readonly afterTypeId: string; readonly limit: number },
): Promise<ReservationFigures> {
  const [sums, types, counts] = await db.batch([
    db.prepare(SUM_STOCK).bind(tenantId),
    db.prepare(LIST_TYPES).bind(tenantId, page.afterTypeId, page.limit + 1),
    db.prepare(COUNT_STATUSES).bind(tenantId),
  ]);
  const [totals] = (sums?.results ?? []) as ReservationFigures["totals"][]; // the statements name their columns
  if (!totals) throw new Error("broken invariant: a sum is one row");
  const typesOfPage = (types?.results ?? []) as TypeStock[]; // as above
  return { totals, types: typesOfPage, counts: (counts?.results ?? []) as StatusCount[] }; // as above
}
