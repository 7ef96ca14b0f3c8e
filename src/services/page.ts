import { succeed, refuse, type Result } from "#domain/result";
import type { Failure } from "#domain/failure";

/** Where a page starts: after the item made at `createdAtMs` with this id, in the order newest first. */
export interface Position {
  readonly createdAtMs: number;
  readonly id: string;
}

/** A page asked for; `limit` is 1 to 100. */
export interface PageRequest {
  readonly limit: number;
  readonly after: Position | undefined;
}

/** A page of a list; `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** The opaque text of a position. */
export function formatCursor(position: Position): string {
  return `${position.createdAtMs.toString(36)}.${position.id}`;
}

/** Reads a cursor; anything this service did not make is `validation_failed`. */
export function parseCursor(text: string | undefined): Result<Position | undefined, Failure> {
  if (text === undefined) return succeed(undefined);
  const match = /^([0-9a-z]{1,11})\.([0-9a-f-]{36})$/.exec(text);
  const [, time, id] = match ?? [];
  const createdAtMs = time === undefined ? Number.NaN : Number.parseInt(time, 36);
  if (id === undefined || !Number.isSafeInteger(createdAtMs)) {
    return refuse({
      code: "validation_failed",
      errors: [{ path: "cursor", code: "invalid_cursor", message: "not a cursor of this list" }],
    });
  }
  return succeed({ createdAtMs, id });
}

/** Newest first; of two made in one millisecond the higher id first. */
function isBefore(one: Position, other: Position): boolean {
  return one.createdAtMs > other.createdAtMs || (one.createdAtMs === other.createdAtMs && one.id > other.id);
}

/** One page out of rows that are in order already; there is a next one when they are more than `limit`. */
export function pageOfRows<T>(rows: readonly T[], limit: number, positionOf: (row: T) => Position): Page<T> {
  const items = rows.slice(0, limit);
  const end = items.at(-1);
  return { items, nextCursor: rows.length > limit && end ? formatCursor(positionOf(end)) : null };
}

/**
 * One page out of stored rows (already from `after`, at most `limit` + 1) and of items that may not be stored yet.
 * @param merge makes one of the two states of an item that is in both.
 */
export function mergeNewest<T extends Position>(
  rows: readonly T[],
  recent: readonly T[],
  page: PageRequest,
  merge: (recent: T, row: T) => T,
): Page<T> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  // A full page of rows has more behind it: a recent item older than its last row belongs to a later page.
  const last = rows.length > page.limit ? rows.at(-1) : undefined;
  for (const item of recent) {
    const row = byId.get(item.id);
    if (row) byId.set(item.id, merge(item, row));
    else if ((!page.after || isBefore(page.after, item)) && (!last || isBefore(item, last))) byId.set(item.id, item);
  }
  const sorted = [...byId.values()].toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
  return pageOfRows(sorted, page.limit, (item) => item);
}

/**
 * One page out of what a desk knows alone, while the database is down. It never claims to be the last one: what else there
 * is, only the database knows. Undefined when the desk has nothing for this page.
 */
export function pageOfRecent<T extends Position>(recent: readonly T[], page: PageRequest): Page<T> | undefined {
  const { items, nextCursor } = mergeNewest([], recent, page, (item) => item);
  const end = items.at(-1);
  return end && { items, nextCursor: nextCursor ?? formatCursor(end) };
}
