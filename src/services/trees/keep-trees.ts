import type { TreeMessage } from "#domain/tree-messages";
import { listFillingTrees, listOpeningTrees } from "#storage/tenant-trees";
import type { ServiceContext } from "../context.ts";
import { requestNextTree } from "./choose-tree.ts";

/** A message's own deliveries take less. */
const STALE_AFTER_MS = 2 * 60_000;
const TREES_A_RUN = 20;

/**
 * Asks for the next tree where the one in use is four fifths full, and sends the messages of trees whose making nobody has
 * touched for two minutes. For the cron trigger; a message too many does no harm.
 * @returns how many messages were sent.
 */
export async function keepTrees(
  ctx: Pick<ServiceContext, "db" | "treeKeeper" | "chainQueue" | "nowMs" | "logger">,
): Promise<number> {
  const messages: TreeMessage[] = [];
  const filling = await listFillingTrees(ctx.db, TREES_A_RUN);
  if (filling.length > 0) {
    const treeKeeper = await ctx.treeKeeper();
    for (const tree of filling) {
      const address = await requestNextTree({ ...ctx, treeKeeper }, tree.tenantId, { number: tree.number, shape: tree });
      ctx.logger.info("the next tree is being made", { tenantId: tree.tenantId, tree: address, after: tree.address });
      messages.push({ address });
    }
  }
  const stale = await listOpeningTrees(ctx.db, ctx.nowMs - STALE_AFTER_MS, TREES_A_RUN);
  for (const { address, tenantId, lastError } of stale) {
    const fields = { tenantId, tree: address, error: lastError };
    if (lastError !== null) ctx.logger.error("a tree could not be made yet", { alert: "tree_not_made", ...fields });
    messages.push({ address });
  }
  if (messages.length > 0) await ctx.chainQueue.sendBatch(messages.map((body) => ({ body })));
  return messages.length;
}
