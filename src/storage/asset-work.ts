import { and, asc, eq, inArray, isNull, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { MintStatus } from "#domain/statuses";
import { cancelMint, isTicketCancelled } from "./mint-statements.ts";
import { assetBurns, assetMoves, events, mintJobs, tickets } from "./schema.ts";

/** What names a piece of work: a move by its transfer, a burn by its ticket. */
export interface AssetWorkKey {
  readonly kind: "move" | "burn";
  readonly id: string;
  readonly tenantId: string;
  readonly ticketId: string;
}

/** A ticket whose asset has work waiting. */
export type AssetTicket = Pick<AssetWorkKey, "tenantId" | "ticketId">;

/** An open piece of work. */
export interface AssetWork extends AssetWorkKey {
  readonly signature: string | null;
  readonly wireBase64: string | null;
  readonly lastValidBlockHeight: number | null;
  readonly attempts: number;
}

/** A ticket whose asset has something to do, with all that doing it needs. */
export interface AssetTask {
  readonly tenantId: string;
  readonly ticketId: string;
  readonly orderId: string;
  /** Where the asset belongs now; null is the custody of the service's wallet. */
  readonly walletAddress: string | null;
  /** The collection that it was minted into. */
  readonly collectionAddress: string | null;
  readonly mint: { readonly status: MintStatus; readonly signature: string | null; readonly assetId: string | null } | null;
  readonly isCancelled: boolean;
  /** The work to do now: moves in the order in which they were queued, the burn last. */
  readonly work: AssetWork;
  /** Number of the last change of the tree that earlier work on this asset made; 0 when there was none. */
  readonly sinceSeq: number;
}

const OPEN = ["QUEUED", "SUBMITTED"] as const;
const LONGEST_ERROR = 500;

const WORK_COLUMNS = (table: typeof assetMoves | typeof assetBurns) => ({
  signature: table.signature,
  wireBase64: table.wireBase64,
  lastValidBlockHeight: table.lastValidBlockHeight,
  attempts: table.attempts,
});

/** The next piece of work on a ticket's asset; undefined when there is none. */
export async function findAssetTask(
  db: DrizzleD1Database,
  { tenantId, ticketId }: AssetTicket,
): Promise<AssetTask | undefined> {
  const seqOf = (table: typeof assetMoves | typeof assetBurns): SQL =>
    sql`SELECT ${table.treeSeq} AS seq FROM ${table} WHERE ${table.ticketId} = ${ticketId}`;
  const [facts, moves, burns] = await db.batch([
    db
      .select({
        orderId: tickets.orderId,
        walletAddress: tickets.walletAddress,
        collectionAddress: sql<string | null>`coalesce(${mintJobs.collectionAddress}, ${events.collectionAddress})`,
        mintStatus: mintJobs.status,
        mintSignature: mintJobs.signature,
        assetId: mintJobs.assetId,
        isCancelled: isTicketCancelled(tickets.id).mapWith(Boolean),
        sinceSeq: sql<number>`(SELECT coalesce(max(seq), 0) FROM (${seqOf(assetMoves)} UNION ALL ${seqOf(assetBurns)}))`,
      })
      .from(tickets)
      .innerJoin(events, eq(events.id, tickets.eventId))
      .leftJoin(mintJobs, eq(mintJobs.ticketId, tickets.id))
      .where(and(eq(tickets.id, ticketId), eq(tickets.tenantId, tenantId))),
    db
      .select({ id: assetMoves.transferId, ...WORK_COLUMNS(assetMoves) })
      .from(assetMoves)
      .where(and(eq(assetMoves.ticketId, ticketId), eq(assetMoves.tenantId, tenantId), inArray(assetMoves.status, [...OPEN])))
      .orderBy(asc(assetMoves.queuedAtMs), asc(assetMoves.transferId))
      .limit(1),
    db
      .select({ id: assetBurns.ticketId, status: assetBurns.status, ...WORK_COLUMNS(assetBurns) })
      .from(assetBurns)
      .where(and(eq(assetBurns.ticketId, ticketId), eq(assetBurns.tenantId, tenantId))),
  ]);
  const [[fact], [move], [burn]] = [facts, moves, burns];
  if (fact === undefined) return undefined;
  const key = { tenantId, ticketId };
  const openBurn = burn?.status === "QUEUED" || burn?.status === "SUBMITTED" ? burn : undefined;
  const work = move === undefined ? openBurn && { ...openBurn, kind: "burn" as const } : { ...move, kind: "move" as const };
  if (work === undefined) return undefined;
  const { mintStatus, mintSignature, assetId, ...rest } = fact;
  const mint = mintStatus === null ? null : { status: mintStatus, signature: mintSignature, assetId };
  return { ...key, ...rest, mint, work: { ...key, ...work } };
}

/**
 * Stores a signed transaction before it is first sent, by compare-and-swap on the signature that the decision was made on. A move
 * of a ticket that was cancelled meanwhile is not stored.
 * @returns true for the winner, which alone may send.
 */
export async function storeSignedWork(
  db: DrizzleD1Database,
  work: AssetWork,
  change: {
    readonly signature: string;
    readonly wireBase64: string;
    readonly lastValidBlockHeight: number;
    readonly lastError: string | null;
    readonly nowMs: number;
  },
): Promise<boolean> {
  const { signature, wireBase64, lastValidBlockHeight, lastError, nowMs } = change;
  const signed = { signature, wireBase64, lastValidBlockHeight, lastError, updatedAtMs: nowMs };
  const { attempts } = work;
  return update(db, work, { ...signed, attempts: attempts + 1, status: "SUBMITTED" }, isNotCancelled(work));
}

/** Records what went wrong with a step, for people; it decides nothing. Without an error it only says that somebody was here. */
export async function noteWork(db: DrizzleD1Database, work: AssetWork, error: string | null, nowMs: number): Promise<void> {
  await update(db, work, { updatedAtMs: nowMs, ...(error === null ? {} : { lastError: error.slice(0, LONGEST_ERROR) }) });
}

/** Ends a piece of work. @param treeSeq number of the change that it made; null when there was nothing left to do. */
export async function finishWork(db: DrizzleD1Database, work: AssetWork, treeSeq: number | null, nowMs: number): Promise<void> {
  await update(db, work, { status: "DONE", treeSeq, lastError: null, updatedAtMs: nowMs });
}

/** Gives a piece of work up. Only for one of which nothing can come on chain any more. */
export async function failWork(db: DrizzleD1Database, work: AssetWork, error: string, nowMs: number): Promise<void> {
  await update(db, work, { status: "FAILED", lastError: error.slice(0, LONGEST_ERROR), updatedAtMs: nowMs });
}

/**
 * Ends the burn of a ticket for which nothing was ever signed, and the ticket's mint with it: all or nothing.
 * A mint that was signed meanwhile is left alone, and so is the burn.
 */
export async function endUnminted(db: DrizzleD1Database, task: AssetTask, nowMs: number): Promise<void> {
  const isOver = sql`EXISTS (SELECT 1 FROM ${mintJobs} WHERE ${mintJobs.ticketId} = ${task.ticketId}
    AND ${mintJobs.status} = 'FAILED' AND ${mintJobs.signature} IS NULL)`;
  await db.batch([
    ...cancelMint(db, { ...task, signature: null }, nowMs),
    db
      .update(assetBurns)
      .set({ status: "UNMINTED", lastError: null, updatedAtMs: nowMs })
      .where(and(isOpen(task.work, assetBurns), isOver)),
  ]);
}

/**
 * Claims open work of any tenant that waits for a message: what was queued and never touched, and what nobody has touched since
 * `beforeMs`. Each is marked as touched, so that it is claimed once in that time however often this runs.
 * @returns each with the time at which it was queued.
 */
export async function claimStaleWork(
  db: DrizzleD1Database,
  claim: { readonly beforeMs: number; readonly nowMs: number; readonly limit: number },
): Promise<readonly (AssetTicket & { readonly queuedAtMs: number })[]> {
  const { beforeMs, nowMs, limit } = claim;
  // The statuses stand in the text, not in parameters: only so may SQLite use an index of the open work alone.
  const stale = (table: typeof assetMoves | typeof assetBurns): SQL => sql`${table.status} IN ('QUEUED', 'SUBMITTED')
    AND ${table.updatedAtMs} <= ${nowMs} AND (${table.updatedAtMs} < ${beforeMs} OR ${table.updatedAtMs} = ${table.queuedAtMs})
    LIMIT ${limit}`;
  const [moves, burns] = await db.batch([
    db
      .update(assetMoves)
      .set({ updatedAtMs: nowMs })
      .where(sql`${assetMoves.transferId} IN (SELECT ${assetMoves.transferId} FROM ${assetMoves} WHERE ${stale(assetMoves)})`)
      .returning({ ticketId: assetMoves.ticketId, tenantId: assetMoves.tenantId, queuedAtMs: assetMoves.queuedAtMs }),
    db
      .update(assetBurns)
      .set({ updatedAtMs: nowMs })
      .where(sql`${assetBurns.ticketId} IN (SELECT ${assetBurns.ticketId} FROM ${assetBurns} WHERE ${stale(assetBurns)})`)
      .returning({ ticketId: assetBurns.ticketId, tenantId: assetBurns.tenantId, queuedAtMs: assetBurns.queuedAtMs }),
  ]);
  return [...moves, ...burns];
}

/**
 * Puts work that was given up back to work, but for moves of cancelled tickets. Nothing that it signed can land any more, so it
 * begins anew; the cron sends its message.
 * @param isSelected tells the tickets from their ids.
 */
export async function requeueFailedWork(
  db: DrizzleD1Database,
  tenantId: string,
  isSelected: (ticketId: SQLiteColumn) => SQL,
  nowMs: number,
): Promise<void> {
  const anew = { signature: null, wireBase64: null, lastValidBlockHeight: null, attempts: 0 };
  const change = { ...anew, status: "QUEUED", queuedAtMs: nowMs, updatedAtMs: nowMs } as const;
  // The + keeps SQLite from reading all that failed of the tenant to find these.
  const isFailed = (table: typeof assetMoves | typeof assetBurns): SQL | undefined =>
    and(sql`+${table.tenantId} = ${tenantId}`, eq(table.status, "FAILED"), isSelected(table.ticketId));
  await db.batch([
    db
      .update(assetMoves)
      .set(change)
      .where(and(isFailed(assetMoves), sql`NOT ${isTicketCancelled(assetMoves.ticketId)}`)),
    db.update(assetBurns).set(change).where(isFailed(assetBurns)),
  ]);
}

type WorkChange = Partial<
  Pick<
    typeof assetMoves.$inferInsert,
    "signature" | "wireBase64" | "lastValidBlockHeight" | "attempts" | "lastError" | "treeSeq"
  >
> & { readonly updatedAtMs: number; readonly status?: "SUBMITTED" | "DONE" | "FAILED" };

/** Changes a piece of work that is open and has the signature that the change was decided on. @returns whether it was so. */
async function update(
  db: DrizzleD1Database,
  work: AssetWork,
  { status, ...change }: WorkChange,
  condition?: SQL,
): Promise<boolean> {
  if (work.kind === "move") {
    const next = status === "DONE" ? "MOVED" : status;
    const set = db.update(assetMoves).set({ ...change, ...(next === undefined ? {} : { status: next }) });
    const changed = await set
      .where(and(eq(assetMoves.transferId, work.id), isOpen(work, assetMoves), condition))
      .returning({ id: assetMoves.transferId });
    return changed.length === 1;
  }
  const next = status === "DONE" ? "BURNT" : status;
  const set = db.update(assetBurns).set({ ...change, ...(next === undefined ? {} : { status: next }) });
  const changed = await set.where(and(isOpen(work, assetBurns), condition)).returning({ id: assetBurns.ticketId });
  return changed.length === 1;
}

function isOpen(work: AssetWork, table: typeof assetMoves | typeof assetBurns): SQL | undefined {
  const isUnchanged = work.signature === null ? isNull(table.signature) : eq(table.signature, work.signature);
  const isOfTicket = and(eq(table.ticketId, work.ticketId), eq(table.tenantId, work.tenantId));
  return and(isOfTicket, inArray(table.status, [...OPEN]), isUnchanged);
}

function isNotCancelled(work: AssetWork): SQL | undefined {
  return work.kind === "burn" ? undefined : sql`NOT ${isTicketCancelled(assetMoves.ticketId)}`;
}
