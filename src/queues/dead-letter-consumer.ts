import { giveUpMint } from "#services/mint/give-up-mint";
import { consumeMessages, type MintConsumerContext } from "./mint-consumer.ts";

/**
 * Consumer of the queue `mint-dead-letters`: messages that the mint queue delivered as often as it may. Their jobs become FAILED
 * and their orders MINT_FAILED; `POST /mint` puts them back to work.
 */
export function consumeDeadLetters(ctx: MintConsumerContext, batch: MessageBatch): Promise<void> {
  return consumeMessages(ctx, batch, giveUpMint);
}
