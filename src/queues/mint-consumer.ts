import { decideRetryDelaySeconds, LONGEST_RETRY_SECONDS, parseMintMessage } from "#domain/mint-messages";
import type { MintMessage } from "#domain/order-messages";
import { advanceMints } from "#services/mint/advance-mints";
import { describeCause } from "#services/describe-cause";
import type { MintContext } from "#services/mint/mint-context";
import { MintOutcomes } from "#services/mint/mint-outcomes";

/**
 * Consumer of the queue `mint`. The messages of a batch are worked on together, so that tickets share transactions and calls to the
 * chain, and answered each by itself: one whose work is not done comes back after 1, 2, 4 … at most 60 seconds, also when its job
 * is not in D1 yet.
 */
export function consumeMints(ctx: MintContext, batch: MessageBatch): Promise<void> {
  return consumeMessages(ctx, batch, advanceMints);
}

/** Answers each message of a batch as `work` says; never throws for one of them. */
export async function consumeMessages(
  ctx: MintContext,
  batch: MessageBatch,
  work: (ctx: MintContext, messages: readonly MintMessage[]) => Promise<MintOutcomes>,
): Promise<void> {
  const readable = batch.messages.flatMap((message) => {
    const body = parseMintMessage(message.body);
    if (body !== undefined) return [{ message, body }];
    // It will not become readable by waiting.
    ctx.logger.error("unreadable mint message dropped", { queue: batch.queue, messageId: message.id });
    message.ack();
    return [];
  });
  if (readable.length === 0) return;
  const outcomes = await work(
    ctx,
    readable.map(({ body }) => body),
  ).catch((error: unknown) => {
    ctx.logger.warn("mint batch failed", { messages: readable.length, error: describeCause(error) });
    return new MintOutcomes(ctx.logger);
  });
  for (const { message, body } of readable) {
    const { progress } = outcomes.of(body);
    if (progress === "settled") message.ack();
    else if (progress === "paused") message.retry({ delaySeconds: LONGEST_RETRY_SECONDS });
    else message.retry({ delaySeconds: decideRetryDelaySeconds(message.attempts) });
  }
}
