import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { findMintTask, storeMintFailure } from "#storage/mint-jobs";
import { advanceMint, type MintContext, type MintProgress } from "./advance-mint.ts";
import { describeCause } from "./describe-cause.ts";

/**
 * Deals with a message that the mint queue has delivered as often as it may. The chain is asked once more, because the ticket may
 * have been minted since; otherwise the job is FAILED and its order MINT_FAILED, until someone queues it again.
 * @returns `later` when the job is not in D1 yet.
 * @throws when D1 can't be reached.
 */
export async function giveUpMint(ctx: MintContext & { readonly logger: Logger }, message: MintMessage): Promise<MintProgress> {
  let cause = "not final after the last delivery";
  try {
    if ((await advanceMint(ctx, message)) === "settled") return "settled";
  } catch (error) {
    cause = describeCause(error);
  }
  const task = await findMintTask(ctx.db, message);
  if (task === undefined) return "later";
  ctx.logger.error("a mint was given up", { alert: "mint_given_up", ticketId: message.ticketId, cause });
  await storeMintFailure(ctx.db, task, `given up: ${cause}`, ctx.nowMs);
  return "settled";
}
