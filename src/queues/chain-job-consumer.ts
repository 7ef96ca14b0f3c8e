import { parseTreeMessage } from "#domain/tree-messages";
import type { Logger } from "#platform/logger";
import { advanceOpening } from "#services/trees/advance-opening";
import type { ChooseTreeContext } from "#services/trees/choose-tree";
import { describeCause } from "#services/describe-cause";

/**
 * Consumer of the queue `chain-jobs`: trees that the service makes itself. A message comes back until its tree is on chain; when
 * its deliveries are used up the cron goes on, because the job is a row in D1.
 */
export async function consumeChainJobs(
  ctx: ChooseTreeContext & { readonly logger: Logger },
  batch: MessageBatch,
): Promise<void> {
  for (const message of batch.messages) {
    const body = parseTreeMessage(message.body);
    if (body === undefined) {
      ctx.logger.error("unreadable chain job dropped", { queue: batch.queue, messageId: message.id });
      message.ack();
      continue;
    }
    try {
      if ((await advanceOpening(ctx, body)) === "settled") message.ack();
      else message.retry();
    } catch (error) {
      ctx.logger.warn("chain job failed", { tree: body.address, attempts: message.attempts, error: describeCause(error) });
      message.retry();
    }
  }
}
