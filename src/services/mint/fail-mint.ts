import { storeMintFailure, type MintTask } from "#storage/mint-jobs";
import type { MintContext } from "./mint-context.ts";
import type { MintOutcomes } from "./mint-outcomes.ts";

/** Gives a ticket's mint up, for whatever cause, and calls for somebody: nobody else goes on with it. */
export async function failMint(ctx: MintContext, task: MintTask, cause: string, outcomes: MintOutcomes): Promise<void> {
  ctx.logger.error("a mint was given up", { alert: "mint_given_up", ticketId: task.ticketId, cause });
  await storeMintFailure(ctx.db, task, cause, ctx.nowMs);
  outcomes.note([task], "settled");
}
