import type { MintMessage } from "#domain/order-messages";
import { findMintTasks } from "#storage/mint-jobs";
import { advanceMints } from "./advance-mints.ts";
import { describeCause } from "../describe-cause.ts";
import { failMint } from "./fail-mint.ts";
import type { MintContext } from "./mint-context.ts";
import { MintOutcomes } from "./mint-outcomes.ts";

/**
 * Deals with messages that the mint queue has delivered as often as it may. The chain is asked once more, because a ticket may have
 * been minted since; otherwise its job is FAILED and its order MINT_FAILED, until someone queues it again. A job that waits for
 * lamports or for a tree is not given up: its message ends here, and the sweep of stale jobs sends another.
 * @returns `later` for a job that is not in D1 yet.
 * @throws when D1 can't be reached.
 */
export async function giveUpMints(ctx: MintContext, messages: readonly MintMessage[]): Promise<MintOutcomes> {
  const outcomes = await advanceMints(ctx, messages).catch((error: unknown) => {
    const none = new MintOutcomes(ctx.logger);
    none.note(messages, "later", describeCause(error));
    return none;
  });
  outcomes.note(
    messages.filter((message) => outcomes.of(message).progress === "paused"),
    "settled",
  );
  const open = messages.filter((message) => outcomes.of(message).progress === "later");
  for (const task of open.length === 0 ? [] : await findMintTasks(ctx.db, open)) {
    const cause = outcomes.of(task).trouble ?? "not final after the last delivery";
    await failMint(ctx, task, `given up: ${cause}`, outcomes);
  }
  return outcomes;
}
