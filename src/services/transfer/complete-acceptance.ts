import type { Failure } from "#domain/failure";
import { assertInvariant, refuse, succeed, type Result } from "#domain/result";
import { CAUSE_OF_GATE } from "#domain/transfer";
import { completeTransfer, failTransfer, type ClaimedTransfer } from "#storage/transfer-acceptance";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";

/** What finishing an acceptance may reach. */
export type AcceptanceContext = Pick<ServiceContext, "db" | "gate" | "desk" | "assetQueue" | "eventQueue" | "nowMs">;

/**
 * Takes an offer that somebody claimed to its end (docs/adr/0011): the gate kills the old credential or says that it was let in
 * first, the desk that issued the ticket forgets whose it is, and D1 changes the owner. Each step may be repeated, by anyone, after
 * a crash between any two of them: the claim in D1 is the record of what is left to do.
 * @returns `ticket_not_valid` when the ticket was let in or recalled first; `transfer_not_pending` to all but the one call that
 * changed the owner.
 */
export async function completeAcceptance(
  ctx: AcceptanceContext,
  claimed: ClaimedTransfer,
): Promise<Result<undefined, Failure>> {
  const { tenantId, ticketId, claimedByUserId, credentialEpoch } = claimed;
  const outcome = await ctx
    .gate(claimed.eventId)
    .handOver({ tenantId, ticketId, toEpoch: credentialEpoch + 1, actor: claimedByUserId });
  assertInvariant(outcome !== undefined, "a ticket's event has a gate of its tenant");
  if (outcome !== "done") {
    await failTransfer(ctx.db, claimed, CAUSE_OF_GATE[outcome], ctx.nowMs);
    return refuse({ code: "ticket_not_valid" });
  }
  await findDesk(ctx, tenantId, ticketId)?.passOnTicket(tenantId, ticketId);
  const { isCompleted, isAnnounced, isMoveQueued } = await completeTransfer(ctx.db, claimed, ctx.nowMs);
  // Without these messages the cron sends them within a minute.
  if (isAnnounced) await attempt(ctx.eventQueue.send({ endpointId: null }));
  if (isMoveQueued) await attempt(ctx.assetQueue.send({ tenantId, ticketId }));
  if (isCompleted) return succeed(undefined);
  // Somebody else has completed it, and this changes nothing; or the ticket was recalled in D1, and this ends the offer.
  const isRecalled = await failTransfer(ctx.db, claimed, "ticket_recalled", ctx.nowMs);
  return refuse({ code: isRecalled ? "ticket_not_valid" : "transfer_not_pending" });
}
