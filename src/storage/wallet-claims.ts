import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { ClaimableTicket, WalletChallenge } from "#domain/wallet-claim";
import { isTicketCancelled, selectNewMove } from "./mint-statements.ts";
import { assetBurns, assetMoves, tickets, walletClaims } from "./schema.ts";

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
  const isOpen = sql`${walletClaims.claimedAtMs} IS NULL`;
  await db.batch([
    db.delete(walletClaims).where(and(eq(walletClaims.ticketId, ticketId), eq(walletClaims.userId, userId), isOpen)),
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
 * Answers a challenge: the ticket's asset belongs to its wallet from now on, and a move is queued under the challenge's id. All or
 * nothing, and once: only while the challenge is open and the ticket a valid one of the same owner.
 * @returns false when it was not so any more.
 */
export async function completeClaim(db: DrizzleD1Database, challenge: StoredChallenge, nowMs: number): Promise<boolean> {
  const { id, tenantId, ticketId, userId, walletAddress } = challenge;
  const isClaimable = and(
    eq(tickets.id, ticketId),
    eq(tickets.tenantId, tenantId),
    eq(tickets.ownerUserId, userId),
    inArray(tickets.status, ["SOLD", "TRANSFERRED"]),
    isNull(tickets.admittedAtMs),
    sql`NOT ${isTicketCancelled(tickets.id)}`,
    sql`${tickets.walletAddress} IS NOT ${walletAddress}`,
  );
  const isOpen = and(
    eq(walletClaims.id, id),
    eq(walletClaims.tenantId, tenantId),
    isNull(walletClaims.claimedAtMs),
    sql`${walletClaims.expiresAtMs} > ${nowMs}`,
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
    .where(and(isOpen, isClaimable));
  // The first statement decides; the others go by the move that it has queued.
  const isQueued = sql`EXISTS (SELECT 1 FROM ${assetMoves} WHERE ${assetMoves.transferId} = ${id})`;
  const [, , claimed] = await db.batch([
    db.insert(assetMoves).select(move).onConflictDoNothing(),
    db
      .update(tickets)
      .set({ walletAddress })
      .where(and(isClaimable, isQueued, sql`EXISTS (SELECT 1 FROM ${walletClaims} WHERE ${isOpen})`)),
    db.update(walletClaims).set({ claimedAtMs: nowMs }).where(and(isOpen, isQueued)).returning({ id: walletClaims.id }),
  ]);
  return claimed.length === 1;
}
