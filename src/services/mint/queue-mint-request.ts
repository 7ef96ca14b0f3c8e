import type { Failure } from "#domain/failure";
import type { RequestIdentity } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import { requeueFailedWork } from "#storage/asset-work";
import { claimIdempotencyKey } from "#storage/idempotency-keys";
import { selectTickets, type MintJobSelection } from "#storage/mint-statements";
import type { SignedInContext } from "../context.ts";
import { queueMint, type QueuedMints } from "./queue-mint.ts";

/** What an operator gets: the jobs, and whether the same request came before. */
export interface AnsweredMintRequest {
  readonly queued: QueuedMints;
  readonly replayed: boolean;
}

/**
 * Queues mints again at an operator's request, and work on the tickets' assets that was given up. Refuses `not_found` and
 * `idempotency_key_reused`.
 *
 * A repeat goes over the jobs once more and shows them as they are then: so the first attempt may die between noting the key and
 * queueing, and no ticket can be minted twice by it (docs/adr/0006).
 */
export async function queueMintRequest(
  ctx: SignedInContext,
  input: { readonly request: RequestIdentity; readonly selection: MintJobSelection },
): Promise<Result<AnsweredMintRequest, Failure>> {
  const { outcome } = await claimIdempotencyKey(ctx.db, input.request, ctx.nowMs);
  if (outcome === "reused") return refuse({ code: "idempotency_key_reused" });
  await requeueFailedWork(ctx.db, ctx.principal.tenantId, selectTickets(input.selection), ctx.nowMs);
  const queued = await queueMint(ctx, ctx.principal.tenantId, input.selection);
  return queued.ok ? succeed({ queued: queued.value, replayed: outcome === "repeated" }) : queued;
}
