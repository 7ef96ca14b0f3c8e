import type { Failure } from "#domain/failure";
import { hasRole } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import { findMintJobOfOwner, type MintJobView as StoredMintJob } from "#storage/mint-lists";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";

/** A mint job as people see it. Times are Unix milliseconds. */
export type MintJobView = StoredMintJob;

/**
 * The mint state of a ticket: one's own, or any of the tenant for a venue manager or above.
 * A ticket that its desk has just issued is QUEUED, although D1 has no row of it yet.
 * @returns `not_found` for tickets of others and of other tenants too.
 */
export async function findMint(
  ctx: Pick<SignedInContext, "db" | "desk" | "principal">,
  ticketId: string,
): Promise<Result<MintJobView, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const seesAll = hasRole(ctx.principal, "venue_manager");
  const job = await findMintJobOfOwner(ctx.db, { tenantId, ticketId }, seesAll ? null : userId);
  if (job !== undefined) return succeed(job);
  const ticket = await findDesk(ctx, tenantId, ticketId)?.findTicket(tenantId, ticketId);
  if (ticket === undefined || (!seesAll && ticket.ownerUserId !== userId)) {
    return refuse({ code: "not_found", what: "ticket" });
  }
  return succeed({
    ticketId,
    status: "QUEUED",
    signature: null,
    assetId: null,
    leafIndex: null,
    attempts: 0,
    lastError: null,
    queuedAtMs: ticket.createdAtMs,
    mintedAtMs: null,
  });
}
