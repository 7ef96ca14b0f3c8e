import { answerWithin } from "#platform/wait-at-most";
import { noticeMovedAssets } from "../assets/notice-moved-assets.ts";
import { queueTrees, queueWaitingAssets } from "../assets/queue-assets.ts";
import type { ServiceContext } from "../context.ts";
import { keepTrees } from "../trees/keep-trees.ts";
import { requeueStaleMints } from "../mint/requeue-stale-mints.ts";
import { checkOpenPayments } from "../payment/check-open-payments.ts";
import { checkSubmittedRefunds } from "../payment/check-submitted-refunds.ts";
import { fetchUndeliveredEvents } from "../payment/fetch-undelivered-events.ts";
import { sweepTransfers } from "../transfer/sweep-transfers.ts";
import { sendDueEvents } from "../webhook/announce-events.ts";
import { sealSecretsAnew } from "../webhook/seal-anew.ts";
import { pruneKeys, pruneNonces, pruneWalletClaims, pruneWebhooks } from "./prune.ts";
import { wakeCodesInTurn, wakeInTurn, wakeStaleDesks, wakeStaleInventories } from "./wake-objects.ts";

/** A piece of the upkeep of each minute. Bounded: what it leaves over comes in the next minute. */
export interface CronJob {
  readonly name: string;
  /** @returns how many things it saw to. */
  run(ctx: ServiceContext): Promise<number>;
}

/**
 * What the cron does each minute, what makes the fewest calls first: an invocation may make about 1,000. Whoever has something to
 * do that time alone brings adds it here, and to the table in docs/operations.md.
 */
export const CRON_JOBS: readonly CronJob[] = [
  { name: "prune webhook nonces", run: pruneNonces },
  { name: "prune idempotency keys", run: pruneKeys },
  { name: "prune wallet claims", run: pruneWalletClaims },
  { name: "prune webhook deliveries", run: pruneWebhooks },
  { name: "seal webhook secrets anew", run: sealSecretsAnew },
  { name: "send due events", run: sendDueEvents },
  { name: "queue stale mints", run: requeueStaleMints },
  { name: "queue waiting assets", run: queueWaitingAssets },
  { name: "queue trees to follow", run: queueTrees },
  { name: "keep trees", run: keepTrees },
  { name: "notice moved assets", run: noticeMovedAssets },
  { name: "sweep transfers", run: sweepTransfers },
  { name: "wake stale inventories", run: wakeStaleInventories },
  { name: "wake stale desks", run: wakeStaleDesks },
  { name: "wake objects in turn", run: wakeInTurn },
  { name: "wake discounts' stock in turn", run: wakeCodesInTurn },
  { name: "fetch undelivered payment events", run: fetchUndeliveredEvents },
  { name: "check open payments", run: checkOpenPayments },
  { name: "check submitted refunds", run: checkSubmittedRefunds },
];

/** How long the others wait for a job: an object or a provider that never answers one must not keep them all from running. */
const LONGEST_JOB_MS = 120_000;

/**
 * Runs the jobs one after the other, each with a log line (at `debug` when there was nothing to do). One that fails, or is not done in
 * time, stops none of the others: a minute later it has its turn again.
 */
export async function runCron(ctx: ServiceContext, jobs: readonly CronJob[] = CRON_JOBS): Promise<void> {
  for (const job of jobs) {
    try {
      const count = await answerWithin(job.name, job.run(ctx), LONGEST_JOB_MS);
      const fields = { job: job.name, count };
      if (count > 0) ctx.logger.info("cron job done", fields);
      else ctx.logger.debug("cron job done", fields);
    } catch (error) {
      ctx.logger.error("cron job failed, will be tried again in a minute", { job: job.name, error });
    }
  }
}
