import type { Failure } from "#domain/failure";
import { areCountersWrong, formatReconcilePosition, parseReconcilePosition, type ReconcilePosition } from "#domain/reconcile";
import { refuse, succeed, type Result } from "#domain/result";
import type { InventoryPage } from "#domain/upkeep-messages";
import { findEventRow } from "#storage/events";
import {
  deleteReservationRows,
  findNextType,
  listReservationDifferences,
  listReservationKeys,
  markReservationsAhead,
  repairCounters,
  repairReservations,
  type StoredCounters,
  type StoredKey,
  type TypeSelection,
} from "#storage/reconcile";
import { FIRST_RESERVATION_KEY } from "#storage/reservation-keys";
import type { SignedInContext } from "../context.ts";
import { reconcileCodes, type CapDifference } from "./reconcile-discounts.ts";
import { ReconcileReport, type TypeDifferences } from "./reconcile-report.ts";

/** Reservations compared at once. */
const PAGE_ROWS = 1_000;
/** Inventories asked about one page of D1's rows; the rest of the page waits for the next step. */
const TYPES_PER_PAGE = 50;
/** Calls to D1 and to objects after which the answer is given: an invocation may make about 1,000. */
const CALLS_PER_REQUEST = 700;

/** What is compared; everything of the tenant when neither is given. */
export interface ReconcileInput {
  readonly eventId: string | null;
  readonly ticketTypeId: string | null;
  /** Where an earlier answer stopped. */
  readonly cursor: string | null;
}

/** What was looked at and what was wrong. `nextCursor` is null when everything was looked at. */
export interface ReconcileOutcome {
  readonly checkedReservationCount: number;
  readonly items: readonly TypeDifferences[];
  /** Caps of discounts; compared only when everything of the tenant is. */
  readonly discounts: readonly CapDifference[];
  readonly nextCursor: string | null;
}

const START: ReconcilePosition = { phase: "rows", ...FIRST_RESERVATION_KEY };

/**
 * Compares what D1 holds of the tenant's reservations and counters with the inventories, which alone hold the truth, and
 * makes D1 say the same. What is only on its way to D1 is left alone, so this may run during a sale.
 *
 * Three walks in pages, resumable: D1's rows, to find those that no inventory knows; each inventory's lines; the caps of codes.
 * Refuses `validation_failed` for a cursor that this service did not make, and `not_found` for an event or ticket type that is not
 * the tenant's, lest an operator who mistypes an id hears that all is well.
 * @param callsPerRequest how many calls to make before answering with a cursor; a page is always finished.
 */
export async function reconcileReservations(
  ctx: SignedInContext,
  input: ReconcileInput,
  callsPerRequest = CALLS_PER_REQUEST,
): Promise<Result<ReconcileOutcome, Failure>> {
  let at: ReconcilePosition | undefined = input.cursor === null ? START : parseReconcilePosition(input.cursor);
  if (!at) return refuse(badCursor());
  const { tenantId, userId } = ctx.principal;
  const selection = { tenantId, eventId: input.eventId, ticketTypeId: input.ticketTypeId };
  const absent = await findAbsent(ctx, selection);
  if (absent) return refuse(absent);
  const walk = new Walk(ctx, selection);
  while (at && walk.callCount < callsPerRequest) at = await walk.step(at);
  const items = walk.report.list();
  const { capDifferences: discounts, report } = walk;
  const { checkedReservationCount } = report;
  const differing = items.length + discounts.length;
  ctx.logger.info("reservations reconciled", { tenantId, userId, checkedReservationCount, differing });
  return succeed({ checkedReservationCount, items, discounts, nextCursor: at ? formatReconcilePosition(at) : null });
}

function badCursor(): Failure {
  const message = "not a cursor of this list";
  return { code: "validation_failed", errors: [{ path: "cursor", code: "invalid_cursor", message }] };
}

/** What the caller names and the tenant does not have. A ticket type of another event than the one named is not there either. */
async function findAbsent({ db, d1 }: SignedInContext, selection: TypeSelection): Promise<Failure | undefined> {
  const { tenantId, eventId, ticketTypeId } = selection;
  if (ticketTypeId !== null)
    return (await findNextType(d1, selection, "")) ? undefined : { code: "not_found", what: "ticket type" };
  if (eventId === null || (await findEventRow(db, tenantId, eventId))) return undefined;
  return { code: "not_found", what: "event" };
}

/** One call's way through a tenant's reservations. */
class Walk {
  readonly report = new ReconcileReport();
  readonly capDifferences: CapDifference[] = [];
  callCount = 0;
  readonly #ctx: SignedInContext;
  readonly #db: D1Database;
  readonly #selection: TypeSelection;

  constructor(ctx: SignedInContext, selection: TypeSelection) {
    this.#ctx = ctx;
    this.#db = ctx.d1;
    this.#selection = selection;
  }

  /** Looks at one page. @returns where to go on; undefined at the end. */
  step(at: ReconcilePosition): Promise<ReconcilePosition | undefined> {
    switch (at.phase) {
      case "rows":
        return this.#checkRows(at);
      case "types":
        return this.#checkLines(at);
      case "codes":
        return this.#checkCodes(at);
    }
  }

  async #checkCodes(at: Extract<ReconcilePosition, { phase: "codes" }>): Promise<ReconcilePosition | undefined> {
    const { differences, callCount, next } = await reconcileCodes(this.#ctx, at);
    this.callCount += callCount;
    this.capDifferences.push(...differences);
    return next;
  }

  /** D1 is read first and the inventory asked after: a row that it does not know then, or of another time, was never made. */
  async #checkRows(at: Extract<ReconcilePosition, { phase: "rows" }>): Promise<ReconcilePosition> {
    this.callCount += 1;
    const page = await listReservationKeys(this.#db, this.#selection, at, PAGE_ROWS);
    const rowsByType = groupByType(page);
    await Promise.all([...rowsByType].map(([ticketTypeId, rows]) => this.#checkRowsOfType(ticketTypeId, rows)));
    const last = [...rowsByType.values()].at(-1)?.at(-1);
    const isAtEnd = page.length < PAGE_ROWS && last === page.at(-1);
    return isAtEnd || !last ? { phase: "types", afterTypeId: "", position: 0 } : { ...last, phase: "rows" };
  }

  async #checkRowsOfType(ticketTypeId: string, rows: readonly StoredKey[]): Promise<void> {
    this.callCount += 1;
    const made = rows.map(({ reservationId, createdAtMs }) => ({ reservationId, createdAtMs }));
    const answer = await this.#ctx.upkeep.inventory(ticketTypeId).findUnknown(this.#selection.tenantId, made);
    if (!answer) return; // said when the type's turn comes; rows are never deleted on the word of nobody
    const unknown = new Set(answer.unknownPlaces);
    const extra = rows.filter((_, place) => unknown.has(place));
    const ahead = rows.filter((row, place) => row.seq > answer.historySeq && !unknown.has(place));
    if (extra.length > 0) {
      this.callCount += 1;
      await deleteReservationRows(this.#db, extra);
      this.report.addReservations(
        ticketTypeId,
        "extra",
        extra.map((row) => row.reservationId),
      );
    }
    if (ahead.length > 0) {
      this.callCount += 1;
      await markReservationsAhead(this.#db, ahead); // the second walk writes them anew
    }
  }

  async #checkLines(at: Extract<ReconcilePosition, { phase: "types" }>): Promise<ReconcilePosition | undefined> {
    const { tenantId } = this.#selection;
    this.callCount += 1;
    const stored = await findNextType(this.#db, this.#selection, at.afterTypeId);
    if (!stored) return this.#isWholeTenant() ? { phase: "codes", after: null } : undefined;
    const { ticketTypeId } = stored;
    const next: ReconcilePosition = { phase: "types", afterTypeId: ticketTypeId, position: 0 };
    this.callCount += 1;
    const page = await this.#ctx.upkeep.inventory(ticketTypeId).listLines(tenantId, at.position, PAGE_ROWS);
    if (!page?.waitingIds) {
      this.report.addUnrepaired(ticketTypeId, page ? "far_behind" : "no_inventory");
      return next;
    }
    await this.#compareLines(stored, page, page.waitingIds);
    if (page.nextPosition !== null) return { ...at, position: page.nextPosition };
    await this.#compareCounters(stored, page);
    return next;
  }

  #isWholeTenant(): boolean {
    return this.#selection.eventId === null && this.#selection.ticketTypeId === null;
  }

  /** The inventory is read first and D1 after: what had been told by then, D1 must have. */
  async #compareLines(stored: StoredCounters, page: InventoryPage, waitingIds: readonly string[]): Promise<void> {
    const { ticketTypeId, eventId } = stored;
    const waiting = new Set(waitingIds);
    const lines = page.lines.filter((line) => !waiting.has(line.reservationId));
    this.report.checkedReservationCount += lines.length;
    if (lines.length === 0) return;
    const owner = { tenantId: this.#selection.tenantId, eventId, ticketTypeId, historySeq: page.historySeq };
    this.callCount += 1;
    const differences = await listReservationDifferences(this.#db, owner, lines);
    if (differences.length === 0) return;
    const wrong = new Set(differences.map((difference) => difference.reservationId));
    this.callCount += 1;
    await repairReservations(
      this.#db,
      owner,
      lines.filter((line) => wrong.has(line.reservationId)),
    );
    for (const kind of ["missing", "stale"] as const) {
      const ids = differences.filter((difference) => difference.kind === kind).map((difference) => difference.reservationId);
      this.report.addReservations(ticketTypeId, kind, ids);
    }
  }

  async #compareCounters(stored: StoredCounters, { snapshot, isQuiet }: InventoryPage): Promise<void> {
    if (!areCountersWrong(stored, snapshot, isQuiet)) return;
    this.callCount += 1;
    if (!(await repairCounters(this.#db, this.#selection.tenantId, stored, snapshot))) return;
    const { capacity: quantity, heldCount, soldCount } = snapshot;
    this.report.addCounters(stored, { quantity, heldCount, soldCount });
  }
}

/** The rows by ticket type, in order, up to the row that would bring one type too many. */
function groupByType(page: readonly StoredKey[]): Map<string, StoredKey[]> {
  const rowsByType = new Map<string, StoredKey[]>();
  for (const row of page) {
    const rows = rowsByType.get(row.ticketTypeId);
    if (!rows && rowsByType.size === TYPES_PER_PAGE) break;
    if (rows) rows.push(row);
    else rowsByType.set(row.ticketTypeId, [row]);
  }
  return rowsByType;
}
