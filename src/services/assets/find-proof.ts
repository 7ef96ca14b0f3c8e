import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { LeafProof } from "#domain/tree-changes";
import { findTreeOfTicket } from "#storage/tree-index";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { findMint } from "../mint/find-mint.ts";
import { proveAsset } from "./prove-asset.ts";

/** A ticket's leaf and its proof, which anyone can check against the tree's account. */
export interface TicketProof extends LeafProof {
  readonly ticketId: string;
}

/** A tree that few changes were made to is followed in about a second. */
const RETRY_AFTER_SECONDS = 5;

/**
 * The Merkle proof of a ticket's asset, checked against the tree's account as it is now: one's own, or any of the tenant for a venue
 * manager or above. Refuses `not_found`, `ticket_not_minted` (also when its asset is burnt), and `proof_not_ready` while what is
 * known of the tree is behind the chain, or the chain is away; the tree is then followed at once and not in its next minute.
 */
export async function findProof(ctx: SignedInContext, ticketId: string): Promise<Result<TicketProof, Failure>> {
  const mint = await findMint(ctx, ticketId);
  if (!mint.ok) return mint;
  const { assetId } = mint.value;
  if (assetId === null) return refuse({ code: "ticket_not_minted" });
  const place = await attempt(prove(ctx, assetId));
  if (!place.ok) ctx.logger.warn("the chain did not answer for a proof", { ticketId, error: place.failure });
  if (!place.ok || place.value.kind === "unclear") {
    await attempt(followSoon(ctx, ticketId));
    return refuse({ code: "proof_not_ready", retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
  return place.value.kind === "burnt" ? refuse({ code: "ticket_not_minted" }) : succeed({ ticketId, ...place.value.proof });
}

async function prove(ctx: SignedInContext, assetId: string) {
  const { trees } = await ctx.assetChain();
  return proveAsset({ ...ctx, trees }, assetId, 0);
}

async function followSoon(ctx: SignedInContext, ticketId: string): Promise<void> {
  const known = await findTreeOfTicket(ctx.db, { tenantId: ctx.principal.tenantId, ticketId });
  await ctx.assetQueue.sendBatch([{ body: { treeAddress: known ?? ctx.defaultTree } }]);
}
