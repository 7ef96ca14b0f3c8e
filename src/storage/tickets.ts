import { and, asc, desc, eq, inArray, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { MintStatus } from "#domain/statuses";
import { isTicketOfOrder } from "./mint-statements.ts";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { mintJobs, tickets } from "./schema.ts";

/** A ticket's row with what is known of its mint. */
export type TicketRow = typeof tickets.$inferSelect & {
  readonly mint: {
    readonly status: MintStatus;
    readonly assetId: string | null;
    readonly signature: string | null;
    readonly leafIndex: number | null;
  };
};

/** What a page of a user's tickets is asked by; rows start after `after`, newest first. */
export interface TicketListQuery {
  readonly tenantId: string;
  readonly ownerUserId: string;
  readonly limit: number;
  readonly after: PageStart | undefined;
}

function readTickets(
  db: DrizzleD1Database,
  where: SQL | undefined,
  order: readonly SQL[],
  limit: number,
): Promise<TicketRow[]> {
  return db
    .select({ ticket: tickets, mint: mintJobs })
    .from(tickets)
    .leftJoin(mintJobs, eq(mintJobs.ticketId, tickets.id))
    .where(where)
    .orderBy(...order)
    .limit(limit)
    .then((rows) =>
      rows.map(({ ticket, mint }) => ({
        ...ticket,
        mint: {
          status: mint?.status ?? "QUEUED",
          assetId: mint?.assetId ?? null,
          signature: mint?.signature ?? null,
          leafIndex: mint?.leafIndex ?? null,
        },
      })),
    );
}

/** The tenant's ticket, if D1 has it already. */
export async function findTicketRow(db: DrizzleD1Database, tenantId: string, ticketId: string): Promise<TicketRow | undefined> {
  const [row] = await readTickets(db, and(eq(tickets.id, ticketId), eq(tickets.tenantId, tenantId)), [], 1);
  return row;
}

/** At most `limit` + 1 of the user's tickets, newest first; the one too many says that there is a next page. */
export function listTicketRows(db: DrizzleD1Database, query: TicketListQuery): Promise<TicketRow[]> {
  const { tenantId, ownerUserId, after, limit } = query;
  const isOnPage = isOlderThan([tickets.createdAtMs, tickets.id], after);
  const where = and(eq(tickets.tenantId, tenantId), eq(tickets.ownerUserId, ownerUserId), isOnPage);
  return readTickets(db, where, [desc(tickets.createdAtMs), desc(tickets.id)], limit + 1);
}

/** All tickets of an order that D1 has. */
export function listTicketRowsOfOrder(db: DrizzleD1Database, tenantId: string, orderId: string): Promise<TicketRow[]> {
  // The + keeps SQLite from reading all of the tenant's tickets instead.
  const where = and(isTicketOfOrder(orderId), sql`+${tickets.tenantId} = ${tenantId}`);
  return readTickets(db, where, [asc(tickets.id)], TICKETS_OF_ORDER);
}

/** More than an order can hold: a line has at most its type's `maxPerOrder`, a basket at most 50 lines. */
const TICKETS_OF_ORDER = 10_000;

/** Which of these tickets D1 has a row for. */
export async function listStoredTicketIds(
  db: DrizzleD1Database,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const wanted = sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const rows = await db
    .select({ id: tickets.id })
    .from(tickets)
    // The + keeps SQLite from reading all of the tenant's tickets to find these.
    .where(and(inArray(tickets.id, wanted), sql`+${tickets.tenantId} = ${tenantId}`));
  return new Set(rows.map((row) => row.id));
}
