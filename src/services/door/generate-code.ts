import { assembleCredential, credentialExpiresAtMs, encodeSignedBytes } from "#domain/credential";
import type { Failure } from "#domain/failure";
import { assertInvariant, refuse, succeed, type Result } from "#domain/result";
import type { TicketStatus } from "#domain/statuses";
import { signBytes } from "#platform/signing-keys";
import { isD1ConstraintError } from "#storage/d1-errors";
import { listDoorTypes } from "#storage/door-types";
import { insertQrCode } from "#storage/qr-codes";
import { readTicket } from "../ticket/find-ticket.ts";
import type { TicketView } from "../ticket/ticket-view.ts";
import type { SignedInContext } from "../context.ts";
import { drawCode } from "./draw-code.ts";

/** A fresh code: its text, the picture of it, and when it is too old, Unix milliseconds. */
export interface IssuedCode {
  readonly qr: string;
  readonly svg: string;
  readonly expiresAtMs: number;
}

/** USED too: whoever goes out needs a code to come back in. Whether that is allowed, the gate decides. */
const SHOWABLE: readonly TicketStatus[] = ["SOLD", "TRANSFERRED", "USED"];

/** Most entries each of the isolate's memories keeps before it starts over; forgetting costs one query. */
const REMEMBERED = 10_000;
/** Number of each ticket type; it never changes. */
const typeNumbers = new Map<string, number>();
/** Credentials known to have their row in `qr_codes`. */
const recorded = new Set<string>();

async function findTypeNumber(ctx: SignedInContext, ticket: TicketView): Promise<number> {
  const known = typeNumbers.get(ticket.ticketTypeId);
  if (known !== undefined) return known;
  if (typeNumbers.size >= REMEMBERED) typeNumbers.clear();
  const types = await listDoorTypes(ctx.db, ticket.tenantId, ticket.eventId);
  for (const type of types) typeNumbers.set(type.ticketTypeId, type.number);
  const number = typeNumbers.get(ticket.ticketTypeId);
  assertInvariant(number !== undefined, "a ticket's type exists");
  return number;
}

/** Notes the credential once, not at each rotation. The note is for the organiser: without it the holder still gets the code. */
async function recordOnce(ctx: SignedInContext, ticket: TicketView): Promise<void> {
  const key = `${ticket.id}:${ticket.ownerUserId}:${ticket.credentialEpoch}`;
  if (recorded.has(key)) return;
  try {
    await insertQrCode(ctx.db, {
      ticketId: ticket.id,
      userId: ticket.ownerUserId,
      credentialEpoch: ticket.credentialEpoch,
      tenantId: ticket.tenantId,
      firstIssuedAtMs: ctx.nowMs,
    });
  } catch (error) {
    // A ticket sold a moment ago has no row in D1 yet: the next rotation notes it.
    if (!isD1ConstraintError(error)) ctx.logger.warn("an issued code could not be noted", { ticketId: ticket.id, error });
    return;
  }
  if (recorded.size >= REMEMBERED) recorded.clear();
  recorded.add(key);
}

/**
 * Issues a code for the holder to show, good for at most 30 seconds.
 * @returns `not_found` to anyone but the ticket's owner, whatever their role: a code lets its bearer in;
 * `ticket_not_valid` when the ticket was cancelled or has expired, `ticket_held_elsewhere` while its asset is in a wallet outside.
 */
export async function generateCode(ctx: SignedInContext, ticketId: string): Promise<Result<IssuedCode, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const ticket = await readTicket(ctx, tenantId, ticketId);
  if (ticket === undefined || ticket.ownerUserId !== userId) return refuse({ code: "not_found", what: "ticket" });
  if (!SHOWABLE.includes(ticket.status)) return refuse({ code: "ticket_not_valid" });
  if (ticket.heldByAddress !== null) return refuse({ code: "ticket_held_elsewhere" });
  const keys = await ctx.credentialKeys();
  const issuedAtSeconds = Math.floor(ctx.nowMs / 1000);
  const signedBytes = encodeSignedBytes({
    keyId: keys.newest.keyId,
    ticketId: ticket.id,
    eventId: ticket.eventId,
    ticketTypeNumber: await findTypeNumber(ctx, ticket),
    credentialEpoch: ticket.credentialEpoch,
    issuedAtSeconds,
  });
  const qr = assembleCredential(signedBytes, await signBytes(keys, signedBytes));
  await recordOnce(ctx, ticket);
  return succeed({ qr, svg: drawCode(qr), expiresAtMs: credentialExpiresAtMs(issuedAtSeconds) });
}
