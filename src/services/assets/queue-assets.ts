import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { AssetMessage } from "#domain/asset-work";
import { pickInTurn } from "#domain/turns";
import type { Logger } from "#platform/logger";
import { claimStaleWork } from "#storage/asset-work";
import { listTreesToFollow } from "#storage/tree-index";

/** What queueing work on assets may reach. */
export interface QueueAssetsContext {
  readonly db: DrizzleD1Database;
  readonly assetQueue: AssetQueue;
  /** The tree of tenants that have none of their own. */
  readonly defaultTree: string;
  readonly logger: Logger;
  readonly nowMs: number;
}

/** Where messages about assets are put: the part of the platform's queue that is used. */
export interface AssetQueue {
  sendBatch(messages: Iterable<{ readonly body: AssetMessage }>): Promise<unknown>;
}

/** A delivery notes each time that it was here, and comes back after a minute at most. */
const STALE_AFTER_MS = 10 * 60_000;
/** Moves and burns each; the platform takes at most 100 messages a call. */
const WORK_A_RUN = 50;
const TREES_A_RUN = 100;
const MOST_TREES = 10_000;
const STUCK_AFTER_MS = 60 * 60_000;

/**
 * Sends a message for each piece of work that was queued and not taken up, or whose message was lost. For the cron trigger: whoever
 * queues work writes it into D1 and need do no more. @returns how many were sent.
 */
export async function queueWaitingAssets(ctx: QueueAssetsContext): Promise<number> {
  const { nowMs } = ctx;
  const waiting = await claimStaleWork(ctx.db, { beforeMs: nowMs - STALE_AFTER_MS, nowMs, limit: WORK_A_RUN });
  for (const { ticketId, queuedAtMs } of waiting) {
    if (queuedAtMs >= nowMs - STUCK_AFTER_MS) continue;
    ctx.logger.error("an asset waits to follow its ticket", { alert: "asset_work_stuck", ticketId, queuedAtMs });
  }
  await send(
    ctx,
    waiting.map(({ ticketId, tenantId }) => ({ ticketId, tenantId })),
  );
  return waiting.length;
}

/**
 * Sends a message for each tree that is followed or minted into; when there are too many for a run, for those whose turn it is.
 * For the cron trigger. @returns how many were sent.
 */
export async function queueTrees(ctx: QueueAssetsContext): Promise<number> {
  const others = (await listTreesToFollow(ctx.db, MOST_TREES)).filter((tree) => tree !== ctx.defaultTree);
  const trees = [ctx.defaultTree, ...pickInTurn(others, TREES_A_RUN - 1, ctx.nowMs)];
  await send(
    ctx,
    trees.map((treeAddress) => ({ treeAddress })),
  );
  return trees.length;
}

async function send({ assetQueue }: QueueAssetsContext, messages: readonly AssetMessage[]): Promise<void> {
  if (messages.length > 0) await assetQueue.sendBatch(messages.map((body) => ({ body })));
}
