import { listStaleMintJobs } from "#storage/mint-jobs";
import type { QueueMintContext } from "./queue-mint.ts";

/** A job at work is touched at least every minute while its message lives; ten mean that the message is gone. */
const STALE_AFTER_MS = 10 * 60_000;
const JOBS_A_RUN = 100;

/**
 * Sends the messages of jobs that nobody has touched for ten minutes: a queue may lose a message, and between marking a job and
 * sending its message a Worker may die. For the cron trigger. A message too many does no harm.
 * @returns how many were sent.
 */
export async function requeueStaleMints(ctx: QueueMintContext): Promise<number> {
  const stale = await listStaleMintJobs(ctx.db, ctx.nowMs - STALE_AFTER_MS, JOBS_A_RUN);
  if (stale.length > 0) await ctx.mintQueue.sendBatch(stale.map((body) => ({ body })));
  return stale.length;
}
