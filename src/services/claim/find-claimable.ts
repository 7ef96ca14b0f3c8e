import type { Failure } from "#domain/failure";
import { refuse, type Result } from "#domain/result";
import { decideClaimable } from "#domain/wallet-claim";
import { findClaimableTicket, type StoredClaimable } from "#storage/wallet-claims";
import type { SignedInContext } from "../context.ts";
import { awaitTicket } from "../ticket/await-ticket.ts";

/** What claiming may reach. */
export type ClaimContext = Pick<
  SignedInContext,
  "db" | "gate" | "desk" | "assetQueue" | "eventQueue" | "newId" | "nowMs" | "principal" | "publicBaseUrl" | "solanaCluster"
>;

/**
 * The ticket that the caller may claim with some wallet (`decideClaimable`). The gate is asked too: it knows first who was let in.
 * @returns `not_found` for a ticket of somebody else that no wallet outside the service holds, `ticket_not_valid` for one that was let in, cancelled or recalled.
 * @throws when D1 or the gate is away.
 */
export async function findClaimable(ctx: ClaimContext, ticketId: string): Promise<Result<StoredClaimable, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const ticket = await awaitTicket(ctx, ticketId, () => findClaimableTicket(ctx.db, tenantId, ticketId));
  if (!ticket.ok) return ticket;
  const { eventId, credentialEpoch } = ticket.value;
  const decided = decideClaimable(ticket.value, userId);
  if (!decided.ok) return decided;
  const toEpoch = credentialEpoch + 1;
  const atGate = await ctx.gate(eventId).previewHandOver({ tenantId, ticketId, toEpoch, actor: userId });
  return atGate === "admitted" || atGate === "dead" ? refuse({ code: "ticket_not_valid" }) : ticket;
}
