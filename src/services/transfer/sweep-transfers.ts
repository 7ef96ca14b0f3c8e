import type { Logger } from "#platform/logger";
import { listStuckTransfers, putOffStuckTransfer } from "#storage/transfer-acceptance";
import { expireTransfers } from "#storage/transfers";
import { attempt } from "../attempt.ts";
import { completeAcceptance, type AcceptanceContext } from "./complete-acceptance.ts";

/** An accept takes well under this; what is still claimed after it was left by a crash. */
const STUCK_AFTER_MS = 15_000;
const ACCEPTANCES_A_RUN = 50;
const EXPIRIES_A_RUN = 500;

/**
 * Completes acceptances that a crash left half-way, and marks offers whose time has come as EXPIRED. For the cron trigger; nothing
 * waits for the second, because expiry is judged in every read and decision. @returns how many of both.
 */
export async function sweepTransfers(ctx: AcceptanceContext & { readonly logger: Logger }): Promise<number> {
  const stuck = await listStuckTransfers(ctx.db, ctx.nowMs - STUCK_AFTER_MS, ACCEPTANCES_A_RUN);
  for (const claimed of stuck) {
    const { id: transferId } = claimed;
    const completed = await attempt(completeAcceptance(ctx, claimed));
    if (completed.ok) continue;
    ctx.logger.warn("an acceptance is still half-way", { transferId, error: completed.failure });
    await putOffStuckTransfer(ctx.db, claimed, ctx.nowMs); // behind the others, so that they have their turn too
  }
  return stuck.length + (await expireTransfers(ctx.db, ctx.nowMs, EXPIRIES_A_RUN));
}
