import type { Failure } from "./failure.ts";
import type { HandOverOutcome } from "./gate-messages.ts";
import { hashParts } from "./ids.ts";
import { refuse, succeed, type Result } from "./result.ts";
import type { TicketStatus, TransferCause, TransferStatus } from "./statuses.ts";

/** Highest credential epoch that a code can carry (docs/credential.md). */
export const HIGHEST_EPOCH = 65_535;

/** Statuses in which a ticket can change hands. */
const PASSABLE: readonly TicketStatus[] = ["SOLD", "TRANSFERRED"];

/** What decides whether a ticket can change hands. */
export interface PassableTicket {
  readonly ownerUserId: string;
  readonly status: TicketStatus;
  readonly credentialEpoch: number;
  /** The wallet that its asset was moved to outside the service. */
  readonly heldByAddress: string | null;
  /** The organiser lets tickets of this type change hands. */
  readonly isTransferable: boolean;
  readonly eventEndsAtMs: number;
}

/** An offer as far as decisions go. `claimedByUserId` is who is accepting it; null while it is free to be settled. */
export interface Offer {
  readonly fromUserId: string;
  readonly toUserId: string | null;
  readonly emailFingerprint: string | null;
  readonly status: TransferStatus;
  readonly claimedByUserId: string | null;
  readonly expiresAtMs: number;
}

/** Someone who may be the one that an offer is made to. */
export interface Party {
  readonly userId: string;
  /** Of the address that their token proves; null when it proves none. */
  readonly emailFingerprint: string | null;
}

/**
 * What is stored of an e-mail address: enough to recognise it when its owner proves it, and not the address. It keeps addresses
 * out of lists, exports and backups; it does not hide one from who holds the database and guesses it.
 */
export function fingerprintEmail(tenantId: string, email: string): string {
  return hashParts(["transfer-email", tenantId, email.trim().toLowerCase()]);
}

/**
 * The offer's status at `nowMs`: an open one whose time has come is EXPIRED, whether or not anything has said so. One that is
 * being accepted was claimed in time, and stays open until that is done.
 */
export function transferStatusAt(
  offer: Pick<Offer, "status" | "claimedByUserId" | "expiresAtMs">,
  nowMs: number,
): TransferStatus {
  const isOver = offer.status === "PENDING" && offer.claimedByUserId === null && offer.expiresAtMs <= nowMs;
  return isOver ? "EXPIRED" : offer.status;
}

/** True when the offer was made to this person. The one who offers never is, whatever address they can prove. */
export function isRecipient(offer: Offer, person: Party): boolean {
  if (person.userId === offer.fromUserId) return false;
  if (offer.toUserId !== null) return offer.toUserId === person.userId;
  return person.emailFingerprint !== null && offer.emailFingerprint === person.emailFingerprint;
}

/** Whether the rules let the ticket change hands now; refuses `ticket_held_elsewhere` and `ticket_not_transferable`. */
function judgeRules(ticket: PassableTicket, nowMs: number): Result<undefined, Failure> {
  if (ticket.heldByAddress !== null) return refuse({ code: "ticket_held_elsewhere" });
  if (!ticket.isTransferable) return refuse({ code: "ticket_not_transferable", reason: "ticket_type" });
  if (nowMs >= ticket.eventEndsAtMs) return refuse({ code: "ticket_not_transferable", reason: "event_over" });
  if (ticket.credentialEpoch >= HIGHEST_EPOCH) return refuse({ code: "ticket_not_transferable", reason: "too_often" });
  return succeed(undefined);
}

/**
 * Decides whether `fromUserId` may offer the ticket.
 * @returns when the offer ends, Unix milliseconds: after `ttlSeconds`, and with the event at the latest.
 */
export function decideOffer(
  ticket: PassableTicket,
  fromUserId: string,
  ttlSeconds: number,
  nowMs: number,
): Result<{ readonly expiresAtMs: number }, Failure> {
  if (ticket.ownerUserId !== fromUserId) return refuse({ code: "not_found", what: "ticket" });
  if (!PASSABLE.includes(ticket.status)) return refuse({ code: "ticket_not_valid" });
  const judged = judgeRules(ticket, nowMs);
  return judged.ok ? succeed({ expiresAtMs: Math.min(nowMs + ttlSeconds * 1000, ticket.eventEndsAtMs) }) : judged;
}

/**
 * Decides whether the recipient may claim the offer now. One that they have claimed already may be gone on with, whatever became
 * of ticket type and event since: the old credential may be dead by then. Whether the ticket was let in or recalled is not asked
 * here but of the gate, behind the claim, so that the offer ends with the cause.
 */
export function decideAccept(
  offer: Offer,
  ticket: PassableTicket,
  recipient: Party & { readonly isBlacklisted: boolean },
  nowMs: number,
): Result<undefined, Failure> {
  if (offer.claimedByUserId === recipient.userId && offer.status === "PENDING") return succeed(undefined);
  if (!isRecipient(offer, recipient)) return refuse({ code: "not_found", what: "transfer" });
  const isOpen = transferStatusAt(offer, nowMs) === "PENDING" && offer.claimedByUserId === null;
  if (!isOpen) return refuse({ code: "transfer_not_pending" });
  if (recipient.isBlacklisted) return refuse({ code: "user_blacklisted" });
  if (ticket.ownerUserId !== offer.fromUserId) return refuse({ code: "ticket_not_valid" });
  return judgeRules(ticket, nowMs);
}

/** Decides whether an open offer may be taken back (by its sender) or turned down (by its recipient). */
export function decideWithdrawal(
  offer: Offer,
  person: Party,
  withdrawal: "CANCELLED" | "DECLINED",
  nowMs: number,
): Result<undefined, Failure> {
  const isTheirs = withdrawal === "CANCELLED" ? offer.fromUserId === person.userId : isRecipient(offer, person);
  if (!isTheirs) return refuse({ code: "not_found", what: "transfer" });
  const isOpen = transferStatusAt(offer, nowMs) === "PENDING" && offer.claimedByUserId === null;
  return isOpen ? succeed(undefined) : refuse({ code: "transfer_not_pending" });
}

/** How an offer ends when the gate would not let the ticket change hands. */
export const CAUSE_OF_GATE: Readonly<Record<Exclude<HandOverOutcome, "done">, TransferCause>> = {
  admitted: "ticket_used",
  dead: "ticket_recalled",
  blocked: "ticket_recalled",
};
