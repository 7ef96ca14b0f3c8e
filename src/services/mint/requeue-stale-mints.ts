import { claimStaleMintJobs } from "#storage/mint-lists";
import type { QueueMintContext } from "./queue-mint.ts";

/** Longer than the mint queue keeps delivering one message. */
const STALE_AFTER_MS = 10 * 60_000;
const JOBS_A_RUN = 100;

/**
 * Sends the messages of jobs that nobody has touched for ten minutes: a queue may lose a message, and between marking a job and
 * sending its message a Worker may die. For the cron trigger. A message too many does no harm.
 * @returns how many were sent.
 */
export async function requeueStaleMints(ctx: QueueMintContext): Promise<number> {
  const stale = await claimStaleMintJobs(ctx.db, {
    beforeMs: ctx.nowMs - STALE_AFTER_MS,
    nowMs: ctx.nowMs,
    limit: JOBS_A_RUN,
  });
  if (stale.length > 0) await ctx.mintQueue.sendBatch(stale.map((body) => ({ body })));
  return stale.length;
}
