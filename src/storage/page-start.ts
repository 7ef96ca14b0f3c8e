import { sql, type SQL } from "drizzle-orm";
import type { AnySQLiteColumn } from "drizzle-orm/sqlite-core";

/** Where a page starts: the last row of the page before, by its time and, of rows of one time, its id. */
export interface PageStart {
  readonly createdAtMs: number;
  readonly id: string;
}

/** The columns that a list is sorted by: those that its index ends with. A NULL in one would lose its row. */
type SortKey = readonly [
  timeMs: AnySQLiteColumn<{ data: number; notNull: true }>,
  id: AnySQLiteColumn<{ data: string; notNull: true }>,
];

/**
 * Rows that come after `start` in a list with the newest first; all of them without one. Compared as a row, because SQLite then goes
 * to the place in the index; of two conditions joined by OR it would read all that comes before
 * (https://www.sqlite.org/rowvalue.html).
 */
export function isOlderThan([timeMs, id]: SortKey, start: PageStart | undefined): SQL | undefined {
  return start && sql`(${timeMs}, ${id}) < (${start.createdAtMs}, ${start.id})`;
}

/** Rows that come after `start` in a list with the oldest first; as {@link isOlderThan}. */
export function isNewerThan([timeMs, id]: SortKey, start: PageStart | undefined): SQL | undefined {
  return start && sql`(${timeMs}, ${id}) > (${start.createdAtMs}, ${start.id})`;
}
