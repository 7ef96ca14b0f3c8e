import { and, desc, eq, inArray, isNull, lte, or, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { PassableTicket } from "#domain/transfer";
import type { TransferCause, TransferStatus } from "#domain/statuses";
import { isOlderThan, type PageStart } from "./page-start.ts";
import { events, tickets, ticketTransfers, ticketTypes } from "./schema.ts";

/** An offer with what its ticket is for, so that a recipient who does not own the ticket yet knows what they are offered. */
export type TransferRow = typeof ticketTransfers.$inferSelect & { readonly eventId: string; readonly ticketTypeId: string };

/** A new offer; exactly one of the recipients is there. */
export type NewTransfer = Pick<
  typeof ticketTransfers.$inferSelect,
  "id" | "tenantId" | "ticketId" | "fromUserId" | "toUserId" | "emailFingerprint" | "expiresAtMs" | "createdAtMs"
>;

/** Where a page starts and how many rows it has. */
interface PageOfRows {
  readonly limit: number;
  readonly after: PageStart | undefined;
}

const TICKET_FACTS = {
  ownerUserId: tickets.ownerUserId,
  status: tickets.status,
  credentialEpoch: tickets.credentialEpoch,
  heldByAddress: tickets.heldByAddress,
  isTransferable: ticketTypes.transferable,
  eventEndsAtMs: events.endsAtMs,
};

/** What decides whether the tenant's ticket can change hands; undefined while D1 has no such ticket. */
export async function findPassableTicket(
  db: DrizzleD1Database,
  tenantId: string,
  ticketId: string,
): Promise<(PassableTicket & { readonly eventId: string }) | undefined> {
  return db
    .select({ ...TICKET_FACTS, eventId: tickets.eventId })
    .from(tickets)
    .innerJoin(ticketTypes, eq(ticketTypes.id, tickets.ticketTypeId))
    .innerJoin(events, eq(events.id, tickets.eventId))
    .where(and(eq(tickets.id, ticketId), eq(tickets.tenantId, tenantId)))
    .get();
}

/** The tenant's offer with its ticket as it is now. */
export async function findTransfer(
  db: DrizzleD1Database,
  tenantId: string,
  transferId: string,
): Promise<{ readonly transfer: TransferRow; readonly ticket: PassableTicket } | undefined> {
  const row = await db
    .select({ transfer: ticketTransfers, ticket: TICKET_FACTS, eventId: tickets.eventId, ticketTypeId: tickets.ticketTypeId })
    .from(ticketTransfers)
    .innerJoin(tickets, eq(tickets.id, ticketTransfers.ticketId))
    .innerJoin(ticketTypes, eq(ticketTypes.id, tickets.ticketTypeId))
    .innerJoin(events, eq(events.id, tickets.eventId))
    .where(and(eq(ticketTransfers.id, transferId), eq(ticketTransfers.tenantId, tenantId)))
    .get();
  return row && { transfer: { ...row.transfer, eventId: row.eventId, ticketTypeId: row.ticketTypeId }, ticket: row.ticket };
}

/** What becomes of an open offer that nobody is accepting. Its fingerprint has no use any more. */
function ended(status: TransferStatus, settledAtMs: number | SQL): Record<string, unknown> {
  return { status, settledAtMs, emailFingerprint: sql`iif(${ticketTransfers.toUserId} IS NULL, '', NULL)` };
}

const isOpenAndFree = and(sql`${ticketTransfers.status} = 'PENDING'`, isNull(ticketTransfers.claimedAtMs));

/**
 * Makes an open offer, after marking one whose time has come as EXPIRED: a ticket has one open offer at a time.
 * @returns false when there is one already (or this one was made before), or the ticket is not the sender's any more.
 */
export async function insertTransfer(db: DrizzleD1Database, offer: NewTransfer): Promise<boolean> {
  const source = db
    .select({
      id: sql<string>`${offer.id}`.as("id"),
      tenantId: tickets.tenantId,
      ticketId: sql<string>`${tickets.id}`.as("ticket_id"),
      fromUserId: sql<string>`${tickets.ownerUserId}`.as("from_user_id"),
      toUserId: sql<string | null>`${offer.toUserId}`.as("to_user_id"),
      emailFingerprint: sql<string | null>`${offer.emailFingerprint}`.as("to_email"),
      status: sql<TransferStatus>`'PENDING'`.as("status"),
      claimedByUserId: sql<null>`NULL`.as("claimed_by_user_id"),
      claimedAtMs: sql<null>`NULL`.as("claimed_at_ms"),
      walletAddress: sql<null>`NULL`.as("wallet_address"),
      cause: sql<TransferCause | null>`NULL`.as("cause"),
      expiresAtMs: sql<number>`${offer.expiresAtMs}`.as("expires_at_ms"),
      createdAtMs: sql<number>`${offer.createdAtMs}`.as("created_at_ms"),
      settledAtMs: sql<null>`NULL`.as("settled_at_ms"),
    })
    .from(tickets)
    .where(
      and(
        eq(tickets.id, offer.ticketId),
        eq(tickets.tenantId, offer.tenantId),
        eq(tickets.ownerUserId, offer.fromUserId),
        inArray(tickets.status, ["SOLD", "TRANSFERRED"]),
      ),
    );
  const [, made] = await db.batch([
    db
      .update(ticketTransfers)
      .set(ended("EXPIRED", sql`${ticketTransfers.expiresAtMs}`))
      .where(
        and(eq(ticketTransfers.ticketId, offer.ticketId), isOpenAndFree, lte(ticketTransfers.expiresAtMs, offer.createdAtMs)),
      ),
    db.insert(ticketTransfers).select(source).onConflictDoNothing().returning({ id: ticketTransfers.id }),
  ]);
  return made.length === 1;
}

/**
 * Ends an open offer that nobody is accepting.
 * @param end.byRecipient who turned it down; kept as the recipient of an offer that was made to an address.
 * @returns false when it was not open any more at `nowMs`.
 */
export async function endTransfer(
  db: DrizzleD1Database,
  key: { readonly tenantId: string; readonly id: string },
  end: { readonly status: "CANCELLED" | "DECLINED"; readonly byRecipient: string | null; readonly nowMs: number },
): Promise<boolean> {
  const recipient = end.byRecipient === null ? {} : { toUserId: end.byRecipient, emailFingerprint: null };
  const changed = await db
    .update(ticketTransfers)
    .set({ ...ended(end.status, end.nowMs), ...recipient })
    .where(
      and(
        eq(ticketTransfers.id, key.id),
        eq(ticketTransfers.tenantId, key.tenantId),
        isOpenAndFree,
        sql`${ticketTransfers.expiresAtMs} > ${end.nowMs}`,
      ),
    )
    .returning({ id: ticketTransfers.id });
  return changed.length === 1;
}

/** Marks open offers whose time has come as EXPIRED, of any tenant, at most `limit`. @returns how many. */
export async function expireTransfers(db: DrizzleD1Database, nowMs: number, limit: number): Promise<number> {
  // The conditions of the index stand in the text: only so may SQLite use it.
  const due = sql`SELECT ${ticketTransfers.id} FROM ${ticketTransfers} WHERE ${ticketTransfers.status} = 'PENDING'
    AND ${ticketTransfers.claimedAtMs} IS NULL AND ${ticketTransfers.expiresAtMs} <= ${nowMs} LIMIT ${limit}`;
  const expired = await db
    .update(ticketTransfers)
    .set(ended("EXPIRED", sql`${ticketTransfers.expiresAtMs}`))
    .where(and(sql`${ticketTransfers.id} IN (${due})`, isOpenAndFree))
    .returning({ id: ticketTransfers.id });
  return expired.length;
}

/** At most `limit` + 1 offers that the person made, and as many that were made to them, each newest first, in one round trip. */
export async function listTransfersOfPerson(
  db: DrizzleD1Database,
  query: PageOfRows & { readonly tenantId: string; readonly userId: string; readonly emailFingerprint: string | null },
): Promise<TransferRow[]> {
  const { tenantId, userId } = query;
  const ofTenant = eq(ticketTransfers.tenantId, tenantId);
  const pages = await db.batch([
    readPage(db, and(ofTenant, eq(ticketTransfers.fromUserId, userId)), query),
    readPage(db, and(ofTenant, eq(ticketTransfers.toUserId, userId)), query),
    // Nobody has the empty fingerprint: it marks those that were forgotten.
    readPage(db, and(ofTenant, eq(ticketTransfers.emailFingerprint, query.emailFingerprint ?? "-")), query),
  ]);
  return pages.flat().map(toRow);
}

/** At most `limit` + 1 offers of the tenant's ticket, newest first; of all, or only those that the person is a party to. */
export async function listTransfersOfTicket(
  db: DrizzleD1Database,
  query: PageOfRows & {
    readonly tenantId: string;
    readonly ticketId: string;
    readonly party: { readonly userId: string; readonly emailFingerprint: string | null } | null;
  },
): Promise<TransferRow[]> {
  const { tenantId, ticketId, party } = query;
  const isParty =
    party === null
      ? undefined
      : or(
          eq(ticketTransfers.fromUserId, party.userId),
          eq(ticketTransfers.toUserId, party.userId),
          eq(ticketTransfers.emailFingerprint, party.emailFingerprint ?? "-"),
        );
  const where = and(eq(ticketTransfers.ticketId, ticketId), eq(ticketTransfers.tenantId, tenantId), isParty);
  return (await readPage(db, where, query)).map(toRow);
}

function readPage(db: DrizzleD1Database, where: SQL | undefined, { after, limit }: PageOfRows) {
  const { createdAtMs, id } = ticketTransfers;
  const isOnPage = isOlderThan([createdAtMs, id], after);
  return db
    .select({ transfer: ticketTransfers, eventId: tickets.eventId, ticketTypeId: tickets.ticketTypeId })
    .from(ticketTransfers)
    .innerJoin(tickets, eq(tickets.id, ticketTransfers.ticketId))
    .where(and(where, isOnPage))
    .orderBy(desc(createdAtMs), desc(id))
    .limit(limit + 1);
}

function toRow(found: {
  readonly transfer: typeof ticketTransfers.$inferSelect;
  readonly eventId: string;
  readonly ticketTypeId: string;
}): TransferRow {
  return { ...found.transfer, eventId: found.eventId, ticketTypeId: found.ticketTypeId };
}
