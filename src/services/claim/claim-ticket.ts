import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { decideAnswer, decideWallet, readChallengeId } from "#domain/wallet-claim";
import { verifyWalletSignature } from "#platform/wallet-signature";
import { completeClaim, findChallenge, type StoredChallenge } from "#storage/wallet-claims";
import { attempt } from "../attempt.ts";
import { findClaimable, type ClaimContext } from "./find-claimable.ts";

/** A signed message; `signature` are the 64 bytes of Ed25519. */
export interface ClaimInput {
  readonly ticketId: string;
  readonly message: string;
  readonly signature: Uint8Array;
}

/** What a claim came to. */
export interface ClaimView {
  readonly ticketId: string;
  readonly walletAddress: string;
  readonly claimedAtMs: number;
}

/** Something may change between reading and claiming; then all is judged again, on what is there now. */
const TRIES = 2;

/**
 * Takes a ticket's asset into the wallet whose key signed the message of a challenge. A ticket that is not minted yet is minted
 * there. Each challenge is good for one claim.
 *
 * Refuses what `findClaimable`, `decideAnswer` and `decideWallet` refuse, and `claim_signature_invalid`.
 */
export async function claimTicket(ctx: ClaimContext, input: ClaimInput): Promise<Result<ClaimView, Failure>> {
  const { ticketId } = input;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const challenge = await findAnswered(ctx, input);
    if (!challenge.ok) return challenge;
    const { tenantId, walletAddress } = challenge.value;
    if (!(await completeClaim(ctx.db, challenge.value, ctx.nowMs))) continue;
    // Without this message the cron sends one within a minute.
    await attempt(ctx.assetQueue.send({ tenantId, ticketId }));
    return succeed({ ticketId, walletAddress, claimedAtMs: ctx.nowMs });
  }
  return refuse({ code: "claim_challenge_used" });
}

/** The challenge that the message answers, with the ticket, the text and the signature found to be in order. */
async function findAnswered(ctx: ClaimContext, input: ClaimInput): Promise<Result<StoredChallenge, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const { ticketId, message, signature } = input;
  const ticket = await findClaimable(ctx, ticketId);
  if (!ticket.ok) return ticket;
  const id = readChallengeId(message);
  const challenge = id === undefined ? undefined : await findChallenge(ctx.db, tenantId, id);
  const answered = decideAnswer(challenge, { ticketId, userId, message }, ctx, ctx.nowMs);
  if (!answered.ok) return answered;
  const { walletAddress } = answered.value;
  const decided = decideWallet(ticket.value, walletAddress);
  if (!decided.ok) return decided;
  const isSigned = await verifyWalletSignature(walletAddress, message, signature);
  return isSigned ? succeed({ ...answered.value, tenantId }) : refuse({ code: "claim_signature_invalid" });
}
