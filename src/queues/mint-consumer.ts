import { decideRetryDelaySeconds, parseMintMessage } from "#domain/mint";
import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { advanceMint, type MintContext, type MintProgress } from "#services/mint/advance-mint";
import { describeCause } from "#services/mint/describe-cause";

/** What a consumer of mint messages may reach. */
export interface MintConsumerContext extends MintContext {
  readonly logger: Logger;
}

/**
 * Consumer of the queue `mint`. Each message is answered by itself: one ticket's trouble never delays another's, and a message
 * whose work is not done comes back after 1, 2, 4 … at most 60 seconds, also when its job is not in D1 yet.
 */
export function consumeMints(ctx: MintConsumerContext, batch: MessageBatch): Promise<void> {
  return consumeMessages(ctx, batch, advanceMint);
}

/** Answers each message of a batch by `work`; never throws for one of them. */
export async function consumeMessages(
  ctx: MintConsumerContext,
  batch: MessageBatch,
  work: (ctx: MintConsumerContext, message: MintMessage) => Promise<MintProgress>,
): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const body = parseMintMessage(message.body);
      if (body === undefined) {
        // It will not become readable by waiting.
        ctx.logger.error("unreadable mint message dropped", { queue: batch.queue, messageId: message.id });
        message.ack();
        return;
      }
      try {
        if ((await work(ctx, body)) === "settled") message.ack();
        else message.retry({ delaySeconds: decideRetryDelaySeconds(message.attempts) });
      } catch (error) {
        ctx.logger.warn("mint step failed", {
          ticketId: body.ticketId,
          attempts: message.attempts,
          error: describeCause(error),
        });
        message.retry({ delaySeconds: decideRetryDelaySeconds(message.attempts) });
      }
    }),
  );
}
