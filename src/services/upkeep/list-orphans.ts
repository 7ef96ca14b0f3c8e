import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { FIRST_RESERVATION_KEY, type ReservationKey } from "#storage/reservation-keys";
import { listOrphans, type Orphan } from "#storage/reservation-orphans";
import type { SignedInContext } from "../context.ts";

/** Order and reservation reach D1 by different ways and within a second or so; what has lasted this long is no delay. */
const SETTLED_AFTER_MS = 5 * 60_000;
/** Reservations that one statement looks at, and statements of one request. */
const WINDOW_ROWS = 10_000;
const WINDOWS_PER_REQUEST = 10;

/** A page of orphans; `nextCursor` is null when every reservation of the tenant was looked at. */
export interface OrphanPage {
  readonly items: readonly Orphan[];
  readonly nextCursor: string | null;
}

/**
 * The tenant's reservations that no order stands behind, by ticket type and age. A request looks at 100,000 reservations at most, so a page may
 * hold few rows, or none, and still have a next one. Refuses `validation_failed` for a cursor that this service did not make.
 */
export async function listOrphanReservations(
  ctx: SignedInContext,
  page: { readonly limit: number; readonly cursor: string | null },
): Promise<Result<OrphanPage, Failure>> {
  const { tenantId } = ctx.principal;
  let at = page.cursor === null ? FIRST_RESERVATION_KEY : parseKey(page.cursor);
  if (!at) return refuse(badCursor());
  const items: Orphan[] = [];
  for (let window = 0; window < WINDOWS_PER_REQUEST; window += 1) {
    const limit = page.limit - items.length;
    const search = { window: WINDOW_ROWS, limit, settledBeforeMs: ctx.nowMs - SETTLED_AFTER_MS };
    const { orphans, end } = await listOrphans(ctx.d1, tenantId, at, search);
    items.push(...orphans);
    if (!end) return succeed({ items, nextCursor: null });
    at = orphans.length === limit ? (orphans.at(-1) ?? end) : end;
    if (items.length === page.limit) break;
  }
  return succeed({ items, nextCursor: `${at.ticketTypeId}.${at.createdAtMs}.${at.reservationId}` });
}

function parseKey(cursor: string): ReservationKey | undefined {
  const [, ticketTypeId, createdAtMs, reservationId] = /^([0-9a-f-]{36})\.(\d{1,15})\.([0-9a-f-]{36})$/.exec(cursor) ?? [];
  if (ticketTypeId === undefined || reservationId === undefined) return undefined;
  return { ticketTypeId, createdAtMs: Number(createdAtMs), reservationId };
}

function badCursor(): Failure {
  const message = "not a cursor of this list";
  return { code: "validation_failed", errors: [{ path: "cursor", code: "invalid_cursor", message }] };
}
