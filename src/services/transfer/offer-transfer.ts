import type { Failure } from "#domain/failure";
import { deriveIdWithin } from "#domain/ids";
import type { RequestIdentity } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import { decideOffer, fingerprintEmail } from "#domain/transfer";
import { findBlacklistRow } from "#storage/blacklists";
import { claimIdempotencyKey, findRefusal, storeRefusal } from "#storage/idempotency-keys";
import { findPassableTicket, findTransfer, insertTransfer } from "#storage/transfers";
import type { SignedInContext } from "../context.ts";
import { awaitTicket } from "../ticket/await-ticket.ts";
import { partyOf, viewTransfer, type TransferView } from "./transfer-view.ts";

/** To whom a ticket is offered: exactly one of the two. */
export interface OfferTo {
  readonly toUserId: string | null;
  readonly toEmail: string | null;
}

/** What a sender is answered; `replayed` says that the same request was answered so before. */
export type OfferAnswer = Result<TransferView, Failure> & { readonly replayed: boolean };

type StoredTicket = Awaited<ReturnType<typeof findPassableTicket>> & object;

/**
 * Offers an own ticket to someone, who must accept before anything changes. A repeat of the request gets the first answer.
 *
 * Refuses `not_found` for a ticket that is not the caller's, `validation_failed` for an offer to oneself, `user_blacklisted` for a
 * recipient who may not receive, `ticket_not_valid` for one that was let in (asked of the gate, which knows it first) or is dead,
 * and `ticket_not_transferable` for a type that stays with its buyer, an event that is over, or a ticket offered already.
 */
export async function offerTransfer(
  ctx: SignedInContext,
  input: { readonly request: RequestIdentity; readonly ticketId: string; readonly to: OfferTo },
): Promise<OfferAnswer> {
  const { request, to } = input;
  if (isOneself(ctx, to)) return { ...refuse(failureToOneself(to)), replayed: false };
  const claim = await claimIdempotencyKey(ctx.db, request, ctx.nowMs);
  if (claim.outcome === "reused") return { ...refuse({ code: "idempotency_key_reused" as const }), replayed: false };
  // Offers stay for longer than keys: one made under the same key days ago is another offer.
  const transferId = deriveIdWithin(request.requestId, ["transfer", String(claim.claimedAtMs)]);
  const first = claim.outcome === "repeated" ? await findFirstAnswer(ctx, { request, transferId, to }) : undefined;
  if (first) return { ...first, replayed: true };
  const made = await makeOffer(ctx, { ...input, transferId });
  // Neither of these is an answer for good: the ticket may be there a moment later.
  const isKept = !made.ok && made.failure.code !== "not_found" && made.failure.code !== "overloaded";
  if (isKept) await storeRefusal(ctx.db, request.requestId, made.failure);
  return made;
}

/** What the same request was answered before; undefined when a crash or a pause left it without an answer. */
async function findFirstAnswer(
  ctx: SignedInContext,
  { request, transferId, to }: { readonly request: RequestIdentity; readonly transferId: string; readonly to: OfferTo },
): Promise<Result<TransferView, Failure> | undefined> {
  const [made, refusal] = await Promise.all([readOffer(ctx, transferId, to), findRefusal(ctx.db, request.requestId)]);
  if (made) return succeed(made);
  return refusal && refuse(refusal);
}

async function makeOffer(
  ctx: SignedInContext,
  { transferId, ticketId, to }: { readonly transferId: string; readonly ticketId: string; readonly to: OfferTo },
): Promise<OfferAnswer> {
  const { tenantId, userId } = ctx.principal;
  const ticket = await awaitTicket(ctx, ticketId, () => findPassableTicket(ctx.db, tenantId, ticketId));
  if (!ticket.ok) return { ...ticket, replayed: false };
  const decided = decideOffer(ticket.value, userId, ctx.transferTtlSeconds, ctx.nowMs);
  if (!decided.ok) return { ...decided, replayed: false };
  const barred = await findBar(ctx, ticketId, ticket.value, to);
  if (barred) return { ...refuse(barred), replayed: false };
  const isMade = await insertTransfer(ctx.db, {
    id: transferId,
    tenantId,
    ticketId,
    fromUserId: userId,
    toUserId: to.toUserId,
    emailFingerprint: to.toEmail === null ? null : fingerprintEmail(tenantId, to.toEmail),
    expiresAtMs: decided.value.expiresAtMs,
    createdAtMs: ctx.nowMs,
  });
  // Not made: another offer of the ticket is open, or the same request made this one at the same instant.
  const made = await readOffer(ctx, transferId, to);
  return made
    ? { ...succeed(made), replayed: !isMade }
    : { ...refuse({ code: "ticket_not_transferable" as const, reason: "open_offer" as const }), replayed: false };
}

function failureToOneself(to: OfferTo): Failure {
  const path = to.toEmail === null ? "toUserId" : "toEmail";
  return {
    code: "validation_failed",
    errors: [{ path, code: "self_transfer", message: "a ticket cannot be offered to its owner" }],
  };
}

function isOneself({ principal }: SignedInContext, to: OfferTo): boolean {
  if (to.toEmail === null) return to.toUserId === principal.userId;
  return partyOf(principal).emailFingerprint === fingerprintEmail(principal.tenantId, to.toEmail);
}

/** The offer as its sender is told first: open, to whom they said. Undefined when there is none of that id. */
async function readOffer(ctx: SignedInContext, transferId: string, to: OfferTo): Promise<TransferView | undefined> {
  const found = await findTransfer(ctx.db, ctx.principal.tenantId, transferId);
  if (found === undefined) return undefined;
  const view = viewTransfer(found.transfer, ctx.principal, ctx.nowMs);
  return { ...view, ...to, status: "PENDING", cause: null, settledAtMs: null };
}

/** What stands against the offer outside the ticket's own row. */
async function findBar(
  ctx: SignedInContext,
  ticketId: string,
  ticket: StoredTicket,
  to: OfferTo,
): Promise<Failure | undefined> {
  const { tenantId, userId } = ctx.principal;
  const toEpoch = ticket.credentialEpoch + 1;
  const [atGate, blacklisted] = await Promise.all([
    ctx.gate(ticket.eventId).previewHandOver({ tenantId, ticketId, toEpoch, actor: userId }),
    to.toUserId === null ? undefined : findBlacklistRow(ctx.db, tenantId, to.toUserId, ctx.nowMs),
  ]);
  if (blacklisted) return { code: "user_blacklisted" };
  return atGate === "done" ? undefined : { code: "ticket_not_valid" };
}
