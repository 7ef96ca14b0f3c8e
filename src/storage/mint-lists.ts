import { and, asc, eq, ne, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { MintStatus } from "#domain/statuses";
import { isMintJob, selectTickets, type MintJobKey, type MintJobSelection } from "./mint-statements.ts";
import { isNewerThan, type PageStart } from "./page-start.ts";
import { mintJobs, tickets } from "./schema.ts";

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

/** At most `limit` + 1 of the tenant's jobs in one status, the longest waiting first. */
export async function listMintJobsByStatus(
  db: DrizzleD1Database,
  query: {
    readonly tenantId: string;
    readonly status: MintStatus;
    readonly limit: number;
    readonly after: PageStart | undefined;
  },
): Promise<MintJobView[]> {
  const { queuedAtMs, ticketId } = mintJobs;
  const isOnPage = isNewerThan([queuedAtMs, ticketId], query.after);
  return db
    .select(JOB_COLUMNS)
    .from(mintJobs)
    .where(and(eq(mintJobs.tenantId, query.tenantId), eq(mintJobs.status, query.status), isOnPage))
    .orderBy(asc(queuedAtMs), asc(ticketId))
    .limit(query.limit + 1);
}

/** The + keeps SQLite from reading all of the tenant's jobs to find these. */
function isOfSelection(tenantId: string, selection: MintJobSelection): SQL | undefined {
  return and(sql`+${mintJobs.tenantId} = ${tenantId}`, selectTickets(selection)(mintJobs.ticketId));
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
    .where(and(isOfSelection(tenantId, selection), ne(mintJobs.status, "MINTED")))
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
    .where(isOfSelection(tenantId, selection));
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
