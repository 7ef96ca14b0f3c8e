import { and, eq, isNull, ne, sql } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { MintJobState } from "#domain/mint";
import {
  cancelMint,
  isMintJob,
  isOneOfMintJobs,
  isOneOfTickets,
  isOrderMinted,
  isTicketCancelled,
  raiseOrder,
  type MintJobKey,
} from "./mint-statements.ts";
import { raiseMintedCount } from "./tenant-trees.ts";
import { TENANT_WANTS_EVENTS } from "./outgoing-events.ts";
import { events, mintJobs, outbox, ticketTypes, tickets } from "./schema.ts";

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

const LONGEST_ERROR = 500;

/** The jobs that these keys name, with their tickets' facts, in no order; those that no projection has brought to D1 yet are missing. */
export async function findMintTasks(db: DrizzleD1Database, keys: readonly MintJobKey[]): Promise<MintTask[]> {
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
    .where(isOneOfMintJobs(keys));
}

/**
 * Stores a signed transaction on each of the jobs whose tickets it mints, before it is first sent: on all of them or on none, in
 * one statement. It is a compare-and-swap over each job's signature: of two deliveries that sign for the same ticket at once, one
 * wins, and the other must throw its bytes away, also for the tickets that only it signed for. So must whoever signed for a ticket
 * that has been cancelled meanwhile.
 * @param tasks as they were when the decision to sign was made; `error` says what became of the transaction before.
 * @returns true for the winner, which alone may send.
 */
export async function storeSignedMints(
  db: DrizzleD1Database,
  tasks: readonly (Pick<MintTask, "tenantId" | "ticketId" | "signature"> & { readonly error: string | null })[],
  change: {
    readonly signature: string;
    readonly wireBase64: string;
    readonly lastValidBlockHeight: number;
    readonly treeAddress: string;
    readonly collectionAddress: string;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const expected = JSON.stringify(
    tasks.map(({ tenantId, ticketId, signature, error }) => ({ tenantId, ticketId, signature, error })),
  );
  const unchangedCount = sql`SELECT count(*) FROM json_each(${expected}) AS expected
    CROSS JOIN ${mintJobs} AS job ON job.ticket_id = expected.value ->> 'ticketId'
    WHERE job.tenant_id = expected.value ->> 'tenantId' AND job.signature IS expected.value ->> 'signature'
      AND job.status IN ('QUEUED', 'SUBMITTED')`;
  const cancelledCount = sql`SELECT count(*) FROM ${mintJobs} WHERE ${isOneOfTickets(tasks)} AND ${isTicketCancelled(mintJobs.ticketId)}`;
  const lastError = sql`(SELECT expected.value ->> 'error' FROM json_each(${expected}) AS expected
    WHERE expected.value ->> 'ticketId' = ${mintJobs.ticketId})`;
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
      lastError,
      updatedAtMs: change.nowMs,
    })
    .where(and(isOneOfTickets(tasks), sql`(${unchangedCount}) = ${tasks.length}`, sql`(${cancelledCount}) = 0`))
    .returning({ ticketId: mintJobs.ticketId });
  return stored.length > 0;
}

/** Records what went wrong with a step of these jobs, for people; it decides nothing. */
export async function storeMintError(
  db: DrizzleD1Database,
  keys: readonly MintJobKey[],
  error: string,
  nowMs: number,
): Promise<void> {
  await db
    .update(mintJobs)
    .set({ lastError: error.slice(0, LONGEST_ERROR), updatedAtMs: nowMs })
    .where(and(isOneOfMintJobs(keys), ne(mintJobs.status, "MINTED")));
}

/** A ticket's leaf, and the transaction that made it. */
export interface MintedTicket extends Pick<MintTask, "tenantId" | "ticketId" | "orderId" | "treeAddress"> {
  readonly signature: string;
  readonly assetId: string;
  readonly leafIndex: number;
}

/**
 * Stores finished mints, whose bytes nobody will send any more, and, in the same transaction, completes each order whose last ticket that is not cancelled was among them.
 * Repeats change nothing.
 */
export async function storeMinted(db: DrizzleD1Database, minted: readonly MintedTicket[], nowMs: number): Promise<void> {
  const orderOf = new Map(minted.map((ticket) => [ticket.orderId, ticket]));
  const [first, ...others] = [
    insertMintedEvents(db, minted, nowMs),
    ...minted.map((ticket) => storeLeaf(db, ticket, nowMs)),
    ...[...orderOf.values()].map((ticket) => raiseOrder(db, ticket, "COMPLETED", isOrderMinted(ticket.orderId))),
    ...countLeaves(minted).map(([treeAddress, leafCount]) => raiseMintedCount(db, treeAddress, leafCount)),
  ];
  if (minted.length > 0) await db.batch([first, ...others]);
}

/** Tells of the tickets that were not known to be minted: comes before the jobs say that they are. */
function insertMintedEvents(db: DrizzleD1Database, minted: readonly MintedTicket[], nowMs: number) {
  const rows = JSON.stringify(
    minted.map(({ ticketId, tenantId, signature, assetId }) => [ticketId, tenantId, signature, assetId]),
  );
  return db.insert(outbox).select(sql`SELECT NULL, ${tickets.tenantId}, 'ticket.minted', json_object('ticketId', ${tickets.id},
      'orderId', ${tickets.orderId}, 'eventId', ${tickets.eventId}, 'ownerUserId', ${tickets.ownerUserId},
      'assetId', minted.value ->> 3), 0, ${nowMs}, ${nowMs}
    FROM json_each(${rows}) AS minted
    CROSS JOIN ${mintJobs} ON ${mintJobs.ticketId} = minted.value ->> 0
    CROSS JOIN ${tickets} ON ${tickets.id} = ${mintJobs.ticketId}
    WHERE +${mintJobs.tenantId} = minted.value ->> 1 AND ${mintJobs.signature} = minted.value ->> 2 AND ${mintJobs.status} <> 'MINTED'
      AND ${sql.raw(TENANT_WANTS_EVENTS)}`);
}

/** How many leaves each tree has at least. */
function countLeaves(minted: readonly MintedTicket[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { treeAddress, leafIndex } of minted) {
    if (treeAddress !== null) counts.set(treeAddress, Math.max(leafIndex + 1, counts.get(treeAddress) ?? 0));
  }
  return [...counts];
}

function storeLeaf(db: DrizzleD1Database, ticket: MintedTicket, nowMs: number) {
  const { signature, assetId, leafIndex } = ticket;
  return db
    .update(mintJobs)
    .set({ status: "MINTED", assetId, leafIndex, wireBase64: null, lastError: null, mintedAtMs: nowMs, updatedAtMs: nowMs })
    .where(and(isMintJob(ticket), eq(mintJobs.signature, signature), ne(mintJobs.status, "MINTED")));
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
