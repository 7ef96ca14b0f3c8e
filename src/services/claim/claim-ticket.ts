import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { decideAnswer, decideWallet, readChallengeId } from "#domain/wallet-claim";
import { verifyWalletSignature } from "#platform/wallet-signature";
import { findBlacklistRow } from "#storage/blacklists";
import {
  completeClaim,
  completeHolderClaim,
  findChallenge,
  type StoredChallenge,
  type StoredClaimable,
} from "#storage/wallet-claims";
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

/** A challenge that was answered as it should be, and the ticket that it is about. */
interface Answered {
  readonly challenge: StoredChallenge;
  readonly ticket: StoredClaimable;
}

/**
 * Takes a ticket's asset into the wallet whose key signed the message of a challenge. A ticket that is not minted yet is minted there; one
 * whose asset is in that wallet already, moved there outside the service, becomes the caller's. Each challenge is good for one claim.
 *
 * Refuses what `findClaimable`, `decideAnswer` and `decideWallet` refuse, `claim_signature_invalid`, and `user_blacklisted` to who would
 * get the ticket from another.
 */
export async function claimTicket(ctx: ClaimContext, input: ClaimInput): Promise<Result<ClaimView, Failure>> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const answered = await findAnswered(ctx, input);
    if (!answered.ok) return answered;
    const { ticketId, walletAddress } = answered.value.challenge;
    if (await complete(ctx, answered.value)) return succeed({ ticketId, walletAddress, claimedAtMs: ctx.nowMs });
  }
  return refuse({ code: "claim_challenge_used" });
}

/** @returns false when the challenge or the ticket is not as it was read. */
async function complete(ctx: ClaimContext, { challenge, ticket }: Answered): Promise<boolean> {
  const { tenantId, ticketId } = challenge;
  if (ticket.heldByAddress !== null) {
    const { isClaimed, isAnnounced } = await completeHolderClaim(ctx.db, challenge, ticket.ownerUserId, ctx.nowMs);
    // Without this message the cron sends the event within a minute.
    if (isAnnounced) await attempt(ctx.eventQueue.send({ endpointId: null }));
    return isClaimed;
  }
  if (!(await completeClaim(ctx.db, challenge, ctx.nowMs))) return false;
  // And without this one it sends one to the asset queue.
  await attempt(ctx.assetQueue.send({ tenantId, ticketId }));
  return true;
}

/** The challenge that the message answers, with the ticket, the text and the signature found to be in order. */
async function findAnswered(ctx: ClaimContext, input: ClaimInput): Promise<Result<Answered, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const { ticketId, message, signature } = input;
  const ticket = await findClaimable(ctx, ticketId);
  if (!ticket.ok) return ticket;
  const id = readChallengeId(message);
  const challenge = id === undefined ? undefined : await findChallenge(ctx.db, tenantId, id);
  const answered = decideAnswer(challenge, { ticketId, userId, message }, ctx, ctx.nowMs);
  if (!answered.ok) return answered;
  const { walletAddress } = answered.value;
  const decided = decideWallet(ticket.value, userId, walletAddress);
  if (!decided.ok) return decided;
  const isSigned = await verifyWalletSignature(walletAddress, message, signature);
  if (!isSigned) return refuse({ code: "claim_signature_invalid" });
  const isReceived = ticket.value.ownerUserId !== userId;
  const isBarred = isReceived && (await findBlacklistRow(ctx.db, tenantId, userId, ctx.nowMs)) !== undefined;
  return isBarred
    ? refuse({ code: "user_blacklisted" })
    : succeed({ challenge: { ...answered.value, tenantId }, ticket: ticket.value });
}
