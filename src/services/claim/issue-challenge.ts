import type { Failure } from "#domain/failure";
import { succeed, type Result } from "#domain/result";
import { CLAIM_VALID_MS, decideWallet, nonceOf, writeClaimMessage } from "#domain/wallet-claim";
import { insertChallenge } from "#storage/wallet-claims";
import { findClaimable, type ClaimContext } from "./find-claimable.ts";

/** What a wallet must sign. Times are Unix milliseconds. */
export interface ChallengeView {
  readonly nonce: string;
  /** The exact text, in UTF-8. */
  readonly message: string;
  readonly expiresAtMs: number;
}

/**
 * Gives who may claim a ticket a message by which a wallet says that it wants the ticket's asset, or that it has it. It can be answered
 * for ten minutes; a newer one for the same ticket takes its place.
 *
 * Refuses what `findClaimable` and `decideWallet` refuse.
 */
export async function issueChallenge(
  ctx: ClaimContext,
  { ticketId, walletAddress }: { readonly ticketId: string; readonly walletAddress: string },
): Promise<Result<ChallengeView, Failure>> {
  const ticket = await findClaimable(ctx, ticketId);
  if (!ticket.ok) return ticket;
  const { tenantId, userId } = ctx.principal;
  const decided = decideWallet(ticket.value, userId, walletAddress);
  if (!decided.ok) return decided;
  const expiresAtMs = ctx.nowMs + CLAIM_VALID_MS;
  const challenge = { id: ctx.newId(), ticketId, userId, walletAddress, issuedAtMs: ctx.nowMs, expiresAtMs, claimedAtMs: null };
  await insertChallenge(ctx.db, { ...challenge, tenantId });
  return succeed({ nonce: nonceOf(challenge), message: writeClaimMessage(challenge, ctx), expiresAtMs });
}
