import { parseAssetMessage, type AssetMessage } from "#domain/asset-work";
import { decideRetryDelaySeconds } from "#domain/mint-messages";
import { advanceAsset, type AssetContext, type AssetProgress } from "#services/assets/advance-asset";
import { followTree } from "#services/assets/follow-tree";
import { describeCause } from "#services/describe-cause";

/**
 * Consumer of the queue `assets`: work on a ticket's asset, or a tree to follow. Each message is answered by itself, and one whose
 * work is not done comes back after 1, 2, 4 … at most 60 seconds, or after one second where a tree has more to read. There are no
 * dead letters: what is left to do stands in D1, and the cron sends another message for it.
 */
export async function consumeAssets(ctx: AssetContext, batch: MessageBatch): Promise<void> {
  await Promise.all(
    batch.messages.map(async (message) => {
      const body = parseAssetMessage(message.body);
      if (body === undefined) {
        // It will not become readable by waiting.
        ctx.logger.error("unreadable asset message dropped", { queue: batch.queue, messageId: message.id });
        message.ack();
        return;
      }
      try {
        if ((await work(ctx, body)) === "settled") message.ack();
        else message.retry({ delaySeconds: "treeAddress" in body ? 1 : decideRetryDelaySeconds(message.attempts) });
      } catch (error) {
        ctx.logger.warn("asset step failed", { ...body, attempts: message.attempts, error: describeCause(error) });
        message.retry({ delaySeconds: decideRetryDelaySeconds(message.attempts) });
      }
    }),
  );
}

async function work(ctx: AssetContext, message: AssetMessage): Promise<AssetProgress> {
  if (!("treeAddress" in message)) return advanceAsset(ctx, message);
  return (await followTree(ctx, message.treeAddress)) ? "later" : "settled";
}
