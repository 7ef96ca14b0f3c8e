import { and, asc, eq, gt, inArray, isNull, ne, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { MintJobState } from "#domain/mint";
import type { MintStatus } from "#domain/statuses";
import {
  cancelMint,
  isMintJob,
  isOrderMinted,
  isTicketCancelled,
  raiseOrder,
  selectTickets,
  type MintJobKey,
  type MintJobSelection,
} from "./mint-statements.ts";
import { events, mintJobs, ticketTypes, tickets } from "./schema.ts";
import { raiseMintedCount } from "./tenant-trees.ts";

/** A job with all that minting its ticket needs. */
export interface MintTask extends MintJobState {
  readonly ticketId: string;
  readonly tenantId: string;
  readonly orderId: string;
  readonly wireBase64: string | null;
  /** The owner's wallet; null leaves the ticket in the custody of the minting wallet. */
  readonly ownerAddress: string | null;
  readonly eventId: string;
  readonly eventName: string;
  readonly ticketTypeName: string;
  /** False for tickets that stay with who bought them: they join the event's frozen collection. */
  readonly isTransferable: boolean;
  /** The collection that the event has for such tickets, as far as it is known. */
  readonly collectionAddress: string | null;
  /** The tree that the stored transaction mints into; null before the first is signed. */
  readonly treeAddress: string | null;
}

/** A job as people see it. Times are Unix milliseconds. */
export interface MintJobView {
  readonly ticketId: string;
  readonly status: MintStatus;
  readonly signature: string | null;
  readonly assetId: string | null;
  readonly leafIndex: number | null;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly queuedAtMs: number;
  readonly mintedAtMs: number | null;
}

const LONGEST_ERROR = 500;

const JOB_COLUMNS = {
  ticketId: mintJobs.ticketId,
  status: mintJobs.status,
  signature: mintJobs.signature,
  assetId: mintJobs.assetId,
  leafIndex: mintJobs.leafIndex,
  attempts: mintJobs.attempts,
  lastError: mintJobs.lastError,
  queuedAtMs: mintJobs.queuedAtMs,
  mintedAtMs: mintJobs.mintedAtMs,
};

/** The job and its ticket's facts; undefined while the desk's projection has not reached D1. */
export async function findMintTask(db: DrizzleD1Database, key: MintJobKey): Promise<MintTask | undefined> {
  return db
    .select({
      ticketId: mintJobs.ticketId,
      tenantId: mintJobs.tenantId,
      status: mintJobs.status,
      signature: mintJobs.signature,
      wireBase64: mintJobs.wireBase64,
      lastValidBlockHeight: mintJobs.lastValidBlockHeight,
      attempts: mintJobs.attempts,
      isCancelled: isTicketCancelled(mintJobs.ticketId).mapWith(Boolean),
      orderId: tickets.orderId,
      ownerAddress: tickets.walletAddress,
      eventId: events.id,
      eventName: events.name,
      ticketTypeName: ticketTypes.name,
      isTransferable: ticketTypes.transferable,
      collectionAddress: sql<
        string | null
      >`CASE WHEN ${ticketTypes.transferable} THEN ${events.collectionAddress} ELSE ${events.frozenCollectionAddress} END`,
      treeAddress: mintJobs.treeAddress,
    })
    .from(mintJobs)
    .innerJoin(tickets, eq(tickets.id, mintJobs.ticketId))
    .innerJoin(events, eq(events.id, mintJobs.eventId))
    .innerJoin(ticketTypes, eq(ticketTypes.id, tickets.ticketTypeId))
    .where(isMintJob(key))
    .get();
}

/**
 * Stores a signed transaction before it is first sent, by compare-and-swap: of two deliveries that sign at once, one wins and
 * the other must throw its bytes away. So must whoever signed for a ticket that has been cancelled meanwhile.
 * @param previousSignature the signature that the decision to sign was made on.
 * @returns true for the winner, which alone may send.
 */
export async function storeSignedMint(
  db: DrizzleD1Database,
  key: MintJobKey,
  change: {
    readonly previousSignature: string | null;
    readonly signature: string;
    readonly wireBase64: string;
    readonly lastValidBlockHeight: number;
    readonly treeAddress: string;
    readonly collectionAddress: string;
    readonly lastError: string | null;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { previousSignature } = change;
  const isUnchanged = previousSignature === null ? isNull(mintJobs.signature) : eq(mintJobs.signature, previousSignature);
  const stored = await db
    .update(mintJobs)
    .set({
      status: "SUBMITTED",
      signature: change.signature,
      wireBase64: change.wireBase64,
      lastValidBlockHeight: change.lastValidBlockHeight,
      treeAddress: change.treeAddress,
      collectionAddress: change.collectionAddress,
      attempts: sql`${mintJobs.attempts} + 1`,
      lastError: change.lastError,
      updatedAtMs: change.nowMs,
    })
    .where(
      and(
        isMintJob(key),
        isUnchanged,
        inArray(mintJobs.status, ["QUEUED", "SUBMITTED"]),
        sql`NOT ${isTicketCancelled(mintJobs.ticketId)}`,
      ),
    )
    .returning({ ticketId: mintJobs.ticketId });
  return stored.length === 1;
}

/** Records what went wrong with a step, for people; it decides nothing. */
export async function storeMintError(db: DrizzleD1Database, key: MintJobKey, error: string, nowMs: number): Promise<void> {
  await db
    .update(mintJobs)
    .set({ lastError: error.slice(0, LONGEST_ERROR), updatedAtMs: nowMs })
    .where(and(isMintJob(key), ne(mintJobs.status, "MINTED")));
}

/**
 * Stores a finished mint and, in the same transaction, completes the order when it was the last of its tickets that are not cancelled.
 * Repeats change nothing.
 */
export async function storeMinted(
  db: DrizzleD1Database,
  task: Pick<MintTask, "tenantId" | "ticketId" | "orderId" | "treeAddress">,
  minted: { readonly signature: string; readonly assetId: string; readonly leafIndex: number; readonly nowMs: number },
): Promise<void> {
  const { signature, assetId, leafIndex, nowMs } = minted;
  await db.batch([
    db
      .update(mintJobs)
      .set({ status: "MINTED", assetId, leafIndex, lastError: null, mintedAtMs: nowMs, updatedAtMs: nowMs })
      .where(and(isMintJob(task), eq(mintJobs.signature, signature), ne(mintJobs.status, "MINTED"))),
    raiseOrder(db, task, "COMPLETED", isOrderMinted(task.orderId)),
    ...(task.treeAddress === null ? [] : [raiseMintedCount(db, task.treeAddress, leafIndex + 1)]),
  ]);
}

/**
 * Gives a job up and says so on its order. The signature stays: whoever queues the job again must ask the chain about it first.
 * @param signature the one that the decision was made on; a job that was signed again meanwhile is left alone.
 */
export async function storeMintFailure(
  db: DrizzleD1Database,
  task: Pick<MintTask, "tenantId" | "ticketId" | "orderId" | "signature">,
  error: string,
  nowMs: number,
): Promise<void> {
  const isUnchanged = task.signature === null ? isNull(mintJobs.signature) : eq(mintJobs.signature, task.signature);
  const failedJob = sql`EXISTS (SELECT 1 FROM ${mintJobs} WHERE ${mintJobs.ticketId} = ${task.ticketId} AND ${mintJobs.status} = 'FAILED'
    AND NOT ${isTicketCancelled(mintJobs.ticketId)})`;
  await db.batch([
    db
      .update(mintJobs)
      .set({ status: "FAILED", lastError: error.slice(0, LONGEST_ERROR), updatedAtMs: nowMs })
      .where(and(isMintJob(task), isUnchanged, ne(mintJobs.status, "MINTED"))),
    raiseOrder(db, task, "MINT_FAILED", failedJob),
  ]);
}

/**
 * Ends the mint of a cancelled ticket: nothing of it is on chain or can come there. The job is FAILED and says why, and forgets its
 * signature, so that whoever burns the ticket's asset knows that there is none. The order does not wait for it any more.
 * @param task its signature is the one that was ruled out, or null; a job that was signed meanwhile is left alone.
 */
export async function storeMintCancelled(
  db: DrizzleD1Database,
  task: Pick<MintTask, "tenantId" | "ticketId" | "orderId" | "signature">,
  nowMs: number,
): Promise<void> {
  await db.batch(cancelMint(db, task, nowMs));
}

/** A job as its owner sees it; undefined when it is not the tenant's, not the owner's, or not in D1 yet. */
export async function findMintJobOfOwner(
  db: DrizzleD1Database,
  key: MintJobKey,
  ownerUserId: string | null,
): Promise<MintJobView | undefined> {
  return db
    .select(JOB_COLUMNS)
    .from(mintJobs)
    .innerJoin(tickets, eq(tickets.id, mintJobs.ticketId))
    .where(and(isMintJob(key), ownerUserId === null ? undefined : eq(tickets.ownerUserId, ownerUserId)))
    .get();
}

/** Jobs of a tenant in one status, by ticket id, after `afterTicketId`. */
export async function listMintJobsByStatus(
  db: DrizzleD1Database,
  query: { readonly tenantId: string; readonly status: MintStatus; readonly afterTicketId: string; readonly limit: number },
): Promise<MintJobView[]> {
  return db
    .select(JOB_COLUMNS)
    .from(mintJobs)
    .where(
      and(eq(mintJobs.tenantId, query.tenantId), eq(mintJobs.status, query.status), gt(mintJobs.ticketId, query.afterTicketId)),
    )
    .orderBy(asc(mintJobs.ticketId))
    .limit(query.limit);
}

/**
 * Puts jobs that are not minted back to work. A job that has a signature becomes SUBMITTED, not QUEUED: its transaction may have
 * landed or may still land, so it walks the state machine and is never signed blindly.
 * @returns the jobs now at work.
 */
export async function requeueMintJobs(
  db: DrizzleD1Database,
  tenantId: string,
  selection: MintJobSelection,
  nowMs: number,
): Promise<readonly { readonly ticketId: string; readonly status: MintStatus }[]> {
  return db
    .update(mintJobs)
    .set({
      status: sql`CASE WHEN ${mintJobs.signature} IS NULL THEN 'QUEUED' ELSE 'SUBMITTED' END`,
      attempts: 0,
      queuedAtMs: nowMs,
      updatedAtMs: nowMs,
    })
    .where(and(eq(mintJobs.tenantId, tenantId), selectTickets(selection)(mintJobs.ticketId), ne(mintJobs.status, "MINTED")))
    .returning({ ticketId: mintJobs.ticketId, status: mintJobs.status });
}

/** The jobs of a selection that the tenant has, whatever their status. */
export async function listMintJobsOf(
  db: DrizzleD1Database,
  tenantId: string,
  selection: MintJobSelection,
): Promise<readonly { readonly ticketId: string; readonly status: MintStatus }[]> {
  return db
    .select({ ticketId: mintJobs.ticketId, status: mintJobs.status })
    .from(mintJobs)
    .where(and(eq(mintJobs.tenantId, tenantId), selectTickets(selection)(mintJobs.ticketId)));
}

/**
 * Claims jobs at work that nobody has touched since `beforeMs`, of any tenant: their message was lost. Each is marked as touched,
 * so that it is claimed once in that time however often this runs.
 */
export async function claimStaleMintJobs(
  db: DrizzleD1Database,
  claim: { readonly beforeMs: number; readonly nowMs: number; readonly limit: number },
): Promise<readonly MintJobKey[]> {
  // The statuses stand in the text, not in parameters: only so may SQLite use an index of the open jobs alone.
  const stale = sql`SELECT ${mintJobs.ticketId} FROM ${mintJobs}
    WHERE ${mintJobs.status} IN ('QUEUED', 'SUBMITTED') AND ${mintJobs.updatedAtMs} < ${claim.beforeMs} LIMIT ${claim.limit}`;
  return db
    .update(mintJobs)
    .set({ updatedAtMs: claim.nowMs })
    .where(sql`${mintJobs.ticketId} IN (${stale})`)
    .returning({ ticketId: mintJobs.ticketId, tenantId: mintJobs.tenantId });
}
