import { and, eq, inArray, isNotNull, isNull, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { ClaimableTicket, WalletChallenge } from "#domain/wallet-claim";
import { isTicketCancelled, selectNewMove } from "./mint-statements.ts";
import { TENANT_WANTS_EVENTS } from "./outgoing-events.ts";
import { assetBurns, assetMoves, outbox, tickets, walletClaims } from "./schema.ts";

/** A challenge within its tenant. */
export type StoredChallenge = WalletChallenge & { readonly tenantId: string };

/** A ticket as a claim sees it. */
export type StoredClaimable = ClaimableTicket & { readonly eventId: string; readonly credentialEpoch: number };

/** What decides whether the tenant's ticket can be claimed; undefined while D1 has no such ticket. */
export async function findClaimableTicket(
  db: DrizzleD1Database,
  tenantId: string,
  ticketId: string,
): Promise<StoredClaimable | undefined> {
  return db
    .select({
      eventId: tickets.eventId,
      ownerUserId: tickets.ownerUserId,
      status: tickets.status,
      credentialEpoch: tickets.credentialEpoch,
      admittedAtMs: tickets.admittedAtMs,
      isCancelled: sql`${assetBurns.ticketId} IS NOT NULL`.mapWith(Boolean),
      walletAddress: tickets.walletAddress,
      heldByAddress: tickets.heldByAddress,
      isHoldDone: sql`${tickets.heldSinceMs} IS NOT NULL`.mapWith(Boolean),
    })
    .from(tickets)
    .leftJoin(assetBurns, eq(assetBurns.ticketId, tickets.id))
    .where(and(eq(tickets.id, ticketId), eq(tickets.tenantId, tenantId)))
    .get();
}

/** Keeps a new challenge, in place of the user's open one of the same ticket. */
export async function insertChallenge(db: DrizzleD1Database, challenge: StoredChallenge): Promise<void> {
  const { ticketId, userId } = challenge;
  // The condition of the index stands in the text: only so may SQLite use it.
  const isUnanswered = sql`${walletClaims.claimedAtMs} IS NULL`;
  await db.batch([
    db.delete(walletClaims).where(and(eq(walletClaims.ticketId, ticketId), eq(walletClaims.userId, userId), isUnanswered)),
    db.insert(walletClaims).values(challenge),
  ]);
}

/** The tenant's challenge of this id. */
export async function findChallenge(db: DrizzleD1Database, tenantId: string, id: string): Promise<StoredChallenge | undefined> {
  return db
    .select()
    .from(walletClaims)
    .where(and(eq(walletClaims.id, id), eq(walletClaims.tenantId, tenantId)))
    .get();
}

/**
 * Answers a challenge of a ticket's owner: its asset belongs to the challenge's wallet from now on, and a move is queued under the
 * challenge's id. All or nothing, and once: only while the challenge is open and the ticket a valid one of the same owner.
 * @returns false when it was not so any more.
 */
export async function completeClaim(db: DrizzleD1Database, challenge: StoredChallenge, nowMs: number): Promise<boolean> {
  const { id, userId, walletAddress } = challenge;
  const isClaimable = and(
    isValidTicket(challenge, userId),
    isNull(tickets.heldByAddress),
    sql`${tickets.walletAddress} IS NOT ${walletAddress}`,
  );
  const move = db
    .select({
      transferId: sql<string>`${walletClaims.id}`.as("transfer_id"),
      tenantId: sql<string>`${walletClaims.tenantId}`.as("tenant_id"),
      ticketId: sql<string>`${walletClaims.ticketId}`.as("ticket_id"),
      fromAddress: sql<string | null>`${tickets.walletAddress}`.as("from_address"),
      toAddress: sql<string | null>`${walletClaims.walletAddress}`.as("to_address"),
      ...selectNewMove(nowMs),
    })
    .from(walletClaims)
    .innerJoin(tickets, eq(tickets.id, walletClaims.ticketId))
    .where(and(isOpen(challenge, nowMs), isClaimable));
  // The first statement decides; the others go by the move that it has queued.
  const isQueued = sql`EXISTS (SELECT 1 FROM ${assetMoves} WHERE ${assetMoves.transferId} = ${id})`;
  const [, , claimed] = await db.batch([
    db.insert(assetMoves).select(move).onConflictDoNothing(),
    db
      .update(tickets)
      .set({ walletAddress })
      .where(and(isClaimable, isQueued, hasOpenChallenge(challenge, nowMs))),
    markClaimed(db, challenge, isQueued, nowMs),
  ]);
  return claimed.length === 1;
}

/**
 * Answers a challenge of who proved the wallet outside the service that has a ticket's asset: the ticket is theirs, in that wallet, and the
 * tenant's event is written if it wants any. All or nothing, and once: only while the challenge is open, and the ticket a valid one of
 * `fromUserId` that this wallet holds. Its old credential is dead already.
 */
export async function completeHolderClaim(
  db: DrizzleD1Database,
  challenge: StoredChallenge,
  fromUserId: string,
  nowMs: number,
): Promise<{ readonly isClaimed: boolean; readonly isAnnounced: boolean }> {
  const { userId, walletAddress } = challenge;
  const isHeld = and(
    isValidTicket(challenge, fromUserId),
    eq(tickets.heldByAddress, walletAddress),
    isNotNull(tickets.heldSinceMs),
    hasOpenChallenge(challenge, nowMs),
  );
  const announcement = sql`SELECT NULL, ${tickets.tenantId}, 'ticket.claimed', json_object('ticketId', ${tickets.id},
      'orderId', ${tickets.orderId}, 'eventId', ${tickets.eventId}, 'fromUserId', ${fromUserId}, 'toUserId', ${userId},
      'walletAddress', ${walletAddress}), 0, ${nowMs}, ${nowMs}
    FROM ${tickets} WHERE ${isHeld} AND ${sql.raw(TENANT_WANTS_EVENTS)}`;
  const isTheirs = sql`EXISTS (SELECT 1 FROM ${tickets} WHERE ${and(
    isValidTicket(challenge, userId),
    eq(tickets.walletAddress, walletAddress),
    isNull(tickets.heldByAddress),
  )})`;
  const [announced, , claimed] = await db.batch([
    db.insert(outbox).select(announcement).returning({ id: outbox.id }),
    db
      .update(tickets)
      .set({ ownerUserId: userId, status: "TRANSFERRED", walletAddress, heldByAddress: null, heldSinceMs: null })
      .where(isHeld),
    markClaimed(db, challenge, isTheirs, nowMs),
  ]);
  return { isClaimed: claimed.length === 1, isAnnounced: announced.length === 1 };
}

function isValidTicket({ tenantId, ticketId }: StoredChallenge, ownerUserId: string): SQL | undefined {
  return and(
    eq(tickets.id, ticketId),
    eq(tickets.tenantId, tenantId),
    eq(tickets.ownerUserId, ownerUserId),
    inArray(tickets.status, ["SOLD", "TRANSFERRED"]),
    isNull(tickets.admittedAtMs),
    sql`NOT ${isTicketCancelled(tickets.id)}`,
  );
}

function isOpen({ id, tenantId }: StoredChallenge, nowMs: number): SQL | undefined {
  return and(
    eq(walletClaims.id, id),
    eq(walletClaims.tenantId, tenantId),
    isNull(walletClaims.claimedAtMs),
    sql`${walletClaims.expiresAtMs} > ${nowMs}`,
  );
}

function hasOpenChallenge(challenge: StoredChallenge, nowMs: number): SQL {
  return sql`EXISTS (SELECT 1 FROM ${walletClaims} WHERE ${isOpen(challenge, nowMs)})`;
}

function markClaimed(db: DrizzleD1Database, challenge: StoredChallenge, condition: SQL, nowMs: number) {
  return db
    .update(walletClaims)
    .set({ claimedAtMs: nowMs })
    .where(and(isOpen(challenge, nowMs), condition))
    .returning({ id: walletClaims.id });
}
