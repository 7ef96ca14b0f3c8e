import type { Failure } from "#domain/failure";
import { idBoundsOfTenant } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import { listOrphans, type Orphan, type ReservationKey } from "#storage/reservation-orphans";
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
 * The tenant's reservations that no order stands behind, by id. A request looks at 100,000 reservations at most, so a page may
 * hold few rows, or none, and still have a next one. Refuses `validation_failed` for a cursor that this service did not make.
 */
export async function listOrphanReservations(
  ctx: SignedInContext,
  page: { readonly limit: number; readonly cursor: string | null },
): Promise<Result<OrphanPage, Failure>> {
  const { tenantId } = ctx.principal;
  const { from, to } = idBoundsOfTenant(tenantId);
  const start = page.cursor === null ? { reservationId: from, ticketTypeId: "" } : parseKey(page.cursor);
  if (!start) return refuse(badCursor());
  const items: Orphan[] = [];
  // A cursor from before the tenant's ids would have the statement walk through everybody else's.
  let at: ReservationKey = start.reservationId < from ? { reservationId: from, ticketTypeId: "" } : start;
  for (let window = 0; window < WINDOWS_PER_REQUEST; window += 1) {
    const range = { afterId: at.reservationId, afterTypeId: at.ticketTypeId, to };
    const limit = page.limit - items.length;
    const search = { window: WINDOW_ROWS, limit, settledBeforeMs: ctx.nowMs - SETTLED_AFTER_MS };
    const { orphans, end } = await listOrphans(ctx.d1, tenantId, range, search);
    items.push(...orphans);
    if (!end) return succeed({ items, nextCursor: null });
    at = orphans.length === limit ? (orphans.at(-1) ?? end) : end;
    if (items.length === page.limit) break;
  }
  return succeed({ items, nextCursor: `${at.reservationId}.${at.ticketTypeId}` });
}

function parseKey(cursor: string): ReservationKey | undefined {
  const [, reservationId, ticketTypeId] = /^([0-9a-f-]{36})\.([0-9a-f-]{36})$/.exec(cursor) ?? [];
  return reservationId === undefined || ticketTypeId === undefined ? undefined : { reservationId, ticketTypeId };
}

function badCursor(): Failure {
  const message = "not a cursor of this list";
  return { code: "validation_failed", errors: [{ path: "cursor", code: "invalid_cursor", message }] };
}
