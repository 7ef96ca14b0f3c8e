import { giveUpMints } from "#services/mint/give-up-mints";
import type { MintContext } from "#services/mint/mint-context";
import { consumeMessages } from "./mint-consumer.ts";

/**
 * Consumer of the queue `mint-dead-letters`: messages that the mint queue delivered as often as it may. Their jobs become FAILED
 * and their orders MINT_FAILED; `POST /mint` puts them back to work.
 */
export function consumeDeadLetters(ctx: MintContext, batch: MessageBatch): Promise<void> {
  return consumeMessages(ctx, batch, giveUpMints);
}
