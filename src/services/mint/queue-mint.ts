import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { Failure } from "#domain/failure";
import type { MintMessage } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { MintStatus } from "#domain/statuses";
import { listMintJobsOf, requeueMintJobs } from "#storage/mint-lists";
import type { MintJobSelection } from "#storage/mint-statements";

/** Where mint messages are put: the part of the platform's queue that is used. */
export interface MintQueue {
  sendBatch(messages: Iterable<{ readonly body: MintMessage }>): Promise<unknown>;
}

/** What queueing mints may reach. */
export interface QueueMintContext {
  readonly db: DrizzleD1Database;
  readonly mintQueue: MintQueue;
  readonly nowMs: number;
}

/** What became of each job asked for; ids the tenant does not have are left out. */
export interface QueuedMints {
  readonly items: readonly { readonly ticketId: string; readonly status: MintStatus }[];
}

/** The platform takes at most 100 messages a call. */
const MESSAGES_A_CALL = 100;

/**
 * Puts the jobs of these tickets, or of this order, back to work unless they are minted. Repeats do no harm.
 * @returns each job with its status now (MINTED ones unchanged), or `not_found` when the tenant has none of them.
 * @throws when the queue can't be reached: the jobs are marked already, and the sweep of stale jobs sends them.
 */
export async function queueMint(
  ctx: QueueMintContext,
  tenantId: string,
  selection: MintJobSelection,
): Promise<Result<QueuedMints, Failure>> {
  const queued = await requeueMintJobs(ctx.db, tenantId, selection, ctx.nowMs);
  for (let start = 0; start < queued.length; start += MESSAGES_A_CALL) {
    const part = queued.slice(start, start + MESSAGES_A_CALL);
    await ctx.mintQueue.sendBatch(part.map(({ ticketId }) => ({ body: { ticketId, tenantId } })));
  }
  const items = await listMintJobsOf(ctx.db, tenantId, selection);
  return items.length === 0 ? refuse({ code: "not_found", what: "mint job" }) : succeed({ items });
}
