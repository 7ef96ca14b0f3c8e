import { and, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { TransferCause } from "#domain/statuses";
import { selectNewMove } from "./mint-statements.ts";
import { assetMoves, outbox, tickets, ticketTransfers, userBlacklists } from "./schema.ts";
import { TENANT_WANTS_EVENTS } from "./outgoing-events.ts";

/** An offer that somebody is accepting. */
export interface ClaimedTransfer {
  readonly id: string;
  readonly tenantId: string;
  readonly ticketId: string;
  readonly eventId: string;
  readonly fromUserId: string;
  readonly claimedByUserId: string;
  /** The ticket's epoch before it changes hands. */
  readonly credentialEpoch: number;
}

/**
 * Gives an open offer to the one who accepts it. Of several at once, and of an accept, a decline and a cancel, D1 lets one through.
 * @returns false when it is not open at `nowMs` any more, or the accepting user is blacklisted by now.
 */
export async function claimTransfer(
  db: DrizzleD1Database,
  claim: {
    readonly tenantId: string;
    readonly id: string;
    readonly userId: string;
    readonly walletAddress: string | null;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { tenantId, id, userId, walletAddress, nowMs } = claim;
  const isBlacklisted = sql`EXISTS (SELECT 1 FROM ${userBlacklists} WHERE ${userBlacklists.tenantId} = ${tenantId}
    AND ${userBlacklists.userId} = ${userId}
    AND (${userBlacklists.expiresAtMs} IS NULL OR ${userBlacklists.expiresAtMs} > ${nowMs}))`;
  const claimed = await db
    .update(ticketTransfers)
    .set({ claimedByUserId: userId, claimedAtMs: nowMs, walletAddress })
    .where(
      and(
        eq(ticketTransfers.id, id),
        eq(ticketTransfers.tenantId, tenantId),
        eq(ticketTransfers.status, "PENDING"),
        isNull(ticketTransfers.claimedAtMs),
        sql`${ticketTransfers.expiresAtMs} > ${nowMs}`,
        sql`NOT ${isBlacklisted}`,
      ),
    )
    .returning({ id: ticketTransfers.id });
  return claimed.length === 1;
}

/** What completing a transfer came to. */
export interface CompletedTransfer {
  /** True for the one call that did it. */
  readonly isCompleted: boolean;
  /** True when that is an event to be sent. */
  readonly isAnnounced: boolean;
  /** True when the asset must move. */
  readonly isMoveQueued: boolean;
}

/**
 * Gives the ticket to the one who claimed its offer, ends the offer, writes the tenant's event if it wants any, and queues the move
 * of its asset if that must follow to another wallet: all or nothing. Call it once the gate has killed the old credential.
 */
export async function completeTransfer(
  db: DrizzleD1Database,
  claimed: ClaimedTransfer,
  nowMs: number,
): Promise<CompletedTransfer> {
  const { id, tenantId, ticketId, fromUserId, claimedByUserId, credentialEpoch } = claimed;
  const isClaimed = and(
    eq(ticketTransfers.id, id),
    eq(ticketTransfers.tenantId, tenantId),
    eq(ticketTransfers.status, "PENDING"),
    eq(ticketTransfers.claimedByUserId, claimedByUserId),
  );
  const isUnchanged = and(
    eq(tickets.id, ticketId),
    eq(tickets.tenantId, tenantId),
    eq(tickets.ownerUserId, fromUserId),
    eq(tickets.credentialEpoch, credentialEpoch),
    inArray(tickets.status, ["SOLD", "TRANSFERRED"]),
  );
  const move = db
    .select({
      transferId: sql<string>`${ticketTransfers.id}`.as("transfer_id"),
      tenantId: sql<string>`${ticketTransfers.tenantId}`.as("tenant_id"),
      ticketId: sql<string>`${ticketTransfers.ticketId}`.as("ticket_id"),
      fromAddress: sql<string | null>`${tickets.walletAddress}`.as("from_address"),
      toAddress: sql<string | null>`${ticketTransfers.walletAddress}`.as("to_address"),
      ...selectNewMove(nowMs),
    })
    .from(ticketTransfers)
    .innerJoin(tickets, eq(tickets.id, ticketTransfers.ticketId))
    .where(and(isClaimed, isUnchanged, sql`${tickets.walletAddress} IS NOT ${ticketTransfers.walletAddress}`));
  const announcement = sql`SELECT NULL, ${tickets.tenantId}, 'ticket.transferred', json_object('transferId', ${id},
      'ticketId', ${tickets.id}, 'orderId', ${tickets.orderId}, 'eventId', ${tickets.eventId},
      'fromUserId', ${fromUserId}, 'toUserId', ${claimedByUserId}), 0, ${nowMs}, ${nowMs}
    FROM ${tickets}
    WHERE ${isUnchanged} AND EXISTS (SELECT 1 FROM ${ticketTransfers} WHERE ${isClaimed}) AND ${sql.raw(TENANT_WANTS_EVENTS)}`;
  const [announced, moves, , completed] = await db.batch([
    db.insert(outbox).select(announcement).returning({ id: outbox.id }),
    db.insert(assetMoves).select(move).onConflictDoNothing().returning({ transferId: assetMoves.transferId }),
    db
      .update(tickets)
      .set({
        ownerUserId: claimedByUserId,
        status: "TRANSFERRED",
        credentialEpoch: credentialEpoch + 1,
        // The move brings the asset from whoever has it.
        heldByAddress: null,
        heldSinceMs: null,
        walletAddress: sql`(SELECT ${ticketTransfers.walletAddress} FROM ${ticketTransfers} WHERE ${isClaimed})`,
      })
      .where(and(isUnchanged, sql`EXISTS (SELECT 1 FROM ${ticketTransfers} WHERE ${isClaimed})`)),
    db
      .update(ticketTransfers)
      .set({ status: "ACCEPTED", toUserId: claimedByUserId, emailFingerprint: null, settledAtMs: nowMs })
      .where(
        and(
          isClaimed,
          sql`EXISTS (SELECT 1 FROM ${tickets} WHERE ${tickets.id} = ${ticketId}
        AND ${tickets.ownerUserId} = ${claimedByUserId} AND ${tickets.credentialEpoch} = ${credentialEpoch + 1})`,
        ),
      )
      .returning({ id: ticketTransfers.id }),
  ]);
  return { isCompleted: completed.length === 1, isAnnounced: announced.length === 1, isMoveQueued: moves.length === 1 };
}

/** Ends an offer whose ticket cannot change hands any more. @returns false when it was ended before, which changes nothing. */
export async function failTransfer(
  db: DrizzleD1Database,
  claimed: Pick<ClaimedTransfer, "id" | "tenantId" | "claimedByUserId">,
  cause: TransferCause,
  nowMs: number,
): Promise<boolean> {
  const failed = await db
    .update(ticketTransfers)
    .set({ status: "CANCELLED", cause, toUserId: claimed.claimedByUserId, emailFingerprint: null, settledAtMs: nowMs })
    .where(
      and(
        eq(ticketTransfers.id, claimed.id),
        eq(ticketTransfers.tenantId, claimed.tenantId),
        eq(ticketTransfers.status, "PENDING"),
        eq(ticketTransfers.claimedByUserId, claimed.claimedByUserId),
      ),
    )
    .returning({ id: ticketTransfers.id });
  return failed.length === 1;
}

/** Offers of any tenant that somebody began to accept before `beforeMs` and that are not done, the oldest first. */
export async function listStuckTransfers(db: DrizzleD1Database, beforeMs: number, limit: number): Promise<ClaimedTransfer[]> {
  const rows = await db
    .select({
      id: ticketTransfers.id,
      tenantId: ticketTransfers.tenantId,
      ticketId: ticketTransfers.ticketId,
      eventId: tickets.eventId,
      fromUserId: ticketTransfers.fromUserId,
      claimedByUserId: ticketTransfers.claimedByUserId,
      credentialEpoch: tickets.credentialEpoch,
    })
    .from(ticketTransfers)
    .innerJoin(tickets, eq(tickets.id, ticketTransfers.ticketId))
    .where(
      and(
        sql`${ticketTransfers.status} = 'PENDING' AND ${ticketTransfers.claimedAtMs} IS NOT NULL`,
        lt(ticketTransfers.claimedAtMs, beforeMs),
      ),
    )
    .orderBy(ticketTransfers.claimedAtMs)
    .limit(limit);
  return rows.flatMap((row) => (row.claimedByUserId === null ? [] : [{ ...row, claimedByUserId: row.claimedByUserId }]));
}

/** Lets an acceptance that could not be completed stand behind the others that wait. One that was completed meanwhile stays as it is. */
export async function putOffStuckTransfer(
  db: DrizzleD1Database,
  { id, tenantId }: Pick<ClaimedTransfer, "id" | "tenantId">,
  nowMs: number,
): Promise<void> {
  await db
    .update(ticketTransfers)
    .set({ claimedAtMs: nowMs })
    .where(and(eq(ticketTransfers.id, id), eq(ticketTransfers.tenantId, tenantId), eq(ticketTransfers.status, "PENDING")));
}
