import { decodeBase58 } from "./base58.ts";
import { decodeBase64Url } from "./base64url.ts";
import type { Failure } from "./failure.ts";
import { refuse, succeed, type Result } from "./result.ts";
import type { SolanaCluster } from "./solana-cluster.ts";
import type { TicketStatus } from "./statuses.ts";

/** How long a challenge can be answered. */
export const CLAIM_VALID_MS = 10 * 60_000;

/** A challenge to prove a wallet, so that a ticket's asset goes there. Times are Unix milliseconds. */
export interface WalletChallenge {
  /** A random UUID, good for one claim. */
  readonly id: string;
  readonly ticketId: string;
  readonly userId: string;
  /** Base58 address of the wallet that must sign. */
  readonly walletAddress: string;
  readonly issuedAtMs: number;
  /** It can be answered before this. */
  readonly expiresAtMs: number;
  /** When it was answered; null while it is open. */
  readonly claimedAtMs: number | null;
}

/** Where the service is, in the message's own words. */
export interface ClaimSite {
  /** Origin under which the service is reached, such as `https://tickets.example`, without a slash at its end. */
  readonly publicBaseUrl: string;
  readonly solanaCluster: SolanaCluster;
}

/** What decides whether a ticket's asset can go to another wallet. */
export interface ClaimableTicket {
  readonly ownerUserId: string;
  readonly status: TicketStatus;
  readonly admittedAtMs: number | null;
  /** It is to be burnt, whatever its status says yet. */
  readonly isCancelled: boolean;
  /** Where its asset belongs now; null is the custody of the service's wallet. */
  readonly walletAddress: string | null;
  /** The wallet that its asset was moved to outside the service. */
  readonly heldByAddress: string | null;
  /** The old owner's credential is dead because of that, so that somebody else may have the ticket. */
  readonly isHoldDone: boolean;
}

/** The challenge's id as the message carries it: Sign-In With Solana allows letters and digits only. */
export function nonceOf({ id }: Pick<WalletChallenge, "id">): string {
  return id.replaceAll("-", "");
}

/**
 * The exact text to be signed, worded as Sign-In With Solana (EIP-4361 for Solana), so that wallets show it as such and warn when its
 * domain is not the page's. It is made anew from what is stored when the signature comes, and never taken from the caller.
 */
export function writeClaimMessage(
  challenge: Pick<WalletChallenge, "id" | "ticketId" | "walletAddress" | "issuedAtMs" | "expiresAtMs">,
  { publicBaseUrl, solanaCluster }: ClaimSite,
): string {
  const { ticketId, walletAddress, issuedAtMs, expiresAtMs } = challenge;
  return [
    `${publicBaseUrl.replace(/^https?:\/\//, "").replace(/\/.*$/, "")} wants you to sign in with your Solana account:`,
    walletAddress,
    "",
    `Take ticket ${ticketId} into this wallet.`,
    "",
    `URI: ${publicBaseUrl}/api/v1/tickets/${ticketId}/claim`,
    "Version: 1",
    `Chain ID: ${solanaCluster}`,
    `Nonce: ${nonceOf(challenge)}`,
    `Issued At: ${new Date(issuedAtMs).toISOString()}`,
    `Expiration Time: ${new Date(expiresAtMs).toISOString()}`,
    "Resources:",
    `- ${publicBaseUrl}/nft/${ticketId}`,
  ].join("\n");
}

/** The id of the challenge that a message says it answers; undefined when it names none. Nothing else of the text is read. */
export function readChallengeId(message: string): string | undefined {
  const [, ...parts] = /^Nonce: ([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/m.exec(message) ?? [];
  return parts.length > 0 ? parts.join("-") : undefined;
}

const SIGNATURE_BYTES = 64;

/** An Ed25519 signature in base58, as Solana writes them, or in base64 with padding; undefined when it is neither of 64 bytes. */
export function parseSignature(text: string): Uint8Array | undefined {
  // 64 bytes in base64 always end in two signs that base58 has not.
  const bytes = text.endsWith("==") ? decodeBase64(text) : decodeBase58(text);
  return bytes.ok && bytes.value.length === SIGNATURE_BYTES ? bytes.value : undefined;
}

function decodeBase64(text: string): Result<Uint8Array, unknown> {
  return decodeBase64Url(text.slice(0, -2).replaceAll("+", "-").replaceAll("/", "_"));
}

/**
 * Decides whether this user may claim the ticket with some wallet: its owner may, and anybody when its asset is in a wallet outside the
 * service, which they must prove.
 * @returns `not_found` for somebody else's ticket, `ticket_not_valid` for one that was let in or is cancelled.
 */
export function decideClaimable(ticket: ClaimableTicket, userId: string): Result<undefined, Failure> {
  const mayClaim = ticket.ownerUserId === userId || (ticket.heldByAddress !== null && ticket.isHoldDone);
  if (!mayClaim) return refuse({ code: "not_found", what: "ticket" });
  const isValid = (ticket.status === "SOLD" || ticket.status === "TRANSFERRED") && ticket.admittedAtMs === null;
  return isValid && !ticket.isCancelled ? succeed(undefined) : refuse({ code: "ticket_not_valid" });
}

/**
 * Decides whether this user may claim the ticket with this wallet.
 * @returns `ticket_in_wallet_already` for the wallet that has the asset or is about to; `ticket_held_elsewhere` to an owner whose asset was
 * moved outside the service, unless it is the wallet where it is now; `not_found` to others with any other wallet than that.
 */
export function decideWallet(ticket: ClaimableTicket, userId: string, walletAddress: string): Result<undefined, Failure> {
  if (ticket.heldByAddress === null) {
    return ticket.walletAddress === walletAddress ? refuse({ code: "ticket_in_wallet_already" }) : succeed(undefined);
  }
  if (ticket.isHoldDone && ticket.heldByAddress === walletAddress) return succeed(undefined);
  return refuse(ticket.ownerUserId === userId ? { code: "ticket_held_elsewhere" } : { code: "not_found", what: "ticket" });
}

/**
 * Decides whether a message answers a challenge now; the signature is left to be verified.
 * @param challenge the one that the message names, if it is stored.
 * @returns the challenge. Refuses `claim_challenge_unknown` (also for one of another ticket or user), `claim_challenge_used`,
 * `claim_challenge_expired`, `claim_message_mismatch` for a text that differs in any way from the one that was given out.
 */
export function decideAnswer(
  challenge: WalletChallenge | undefined,
  answer: { readonly ticketId: string; readonly userId: string; readonly message: string },
  site: ClaimSite,
  nowMs: number,
): Result<WalletChallenge, Failure> {
  if (challenge?.ticketId !== answer.ticketId || challenge.userId !== answer.userId) {
    return refuse({ code: "claim_challenge_unknown" });
  }
  if (challenge.claimedAtMs !== null) return refuse({ code: "claim_challenge_used" });
  if (nowMs >= challenge.expiresAtMs) return refuse({ code: "claim_challenge_expired" });
  if (answer.message !== writeClaimMessage(challenge, site)) return refuse({ code: "claim_message_mismatch" });
  return succeed(challenge);
}
