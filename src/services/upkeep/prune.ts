import { pruneChallenges, pruneIdempotencyKeys, pruneWebhookNonces } from "#storage/prune";
import { pruneDeliveries } from "#storage/webhook-deliveries";
import { pruneEndpoints } from "#storage/webhook-endpoints";
import type { ServiceContext } from "../context.ts";

/** A webhook is good for 5 minutes either way, so an older one is refused without its nonce. */
const KEEP_NONCES_MS = 10 * 60_000;
const KEEP_KEYS_MS = 86_400_000;
const KEEP_DELIVERIES_MS = 30 * 86_400_000;
/** Longer than events that were read before the endpoint was deleted are under way. */
const KEEP_DELETED_ENDPOINTS_MS = 3_600_000;
/** So long a late answer is told that it is too late. */
const KEEP_CHALLENGES_MS = 3_600_000;
const ROWS_AT_ONCE = 1_000;
const BATCHES_A_RUN = 20;

/** Forgets webhook ids after 10 minutes; the desk that acted on an event remembers it longer. @returns how many. */
export function pruneNonces(ctx: ServiceContext): Promise<number> {
  return inBatches(() => pruneWebhookNonces(ctx.d1, ctx.nowMs - KEEP_NONCES_MS, ROWS_AT_ONCE));
}

/** Forgets Idempotency-Keys after 24 h. @returns how many. */
export function pruneKeys(ctx: ServiceContext): Promise<number> {
  return inBatches(() => pruneIdempotencyKeys(ctx.d1, ctx.nowMs - KEEP_KEYS_MS, ROWS_AT_ONCE));
}

/** Forgets what was sent to webhook endpoints after 30 days, and deleted endpoints when nothing is left of them. @returns how many. */
export async function pruneWebhooks(ctx: ServiceContext): Promise<number> {
  const deliveryCount = await inBatches(() => pruneDeliveries(ctx.d1, ctx.nowMs - KEEP_DELIVERIES_MS, ROWS_AT_ONCE));
  return deliveryCount + (await pruneEndpoints(ctx.d1, ctx.nowMs - KEEP_DELETED_ENDPOINTS_MS, ROWS_AT_ONCE));
}

/** Forgets challenges to prove a wallet an hour after they expired: what was claimed is in the ticket and its moves. @returns how many. */
export function pruneWalletClaims(ctx: ServiceContext): Promise<number> {
  return inBatches(() => pruneChallenges(ctx.d1, ctx.nowMs - KEEP_CHALLENGES_MS, ROWS_AT_ONCE));
}

async function inBatches(pruneBatch: () => Promise<number>): Promise<number> {
  let prunedCount = 0;
  for (let batch = 0; batch < BATCHES_A_RUN; batch += 1) {
    const count = await pruneBatch();
    prunedCount += count;
    if (count < ROWS_AT_ONCE) break;
  }
  return prunedCount;
}
