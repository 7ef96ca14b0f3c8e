import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findTicketRow } from "#storage/tickets";
import { attempt } from "../attempt.ts";
import type { ServiceContext, SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { maySee } from "../order/find-order.ts";
import { asUnminted, type TicketView } from "./ticket-view.ts";

/** A ticket the caller may see: their own, or any of the tenant for a venue manager and above; else `not_found`. */
export async function findTicket(ctx: SignedInContext, ticketId: string): Promise<Result<TicketView, Failure>> {
  const ticket = await readTicket(ctx, ctx.principal.tenantId, ticketId);
  const visible = ticket && maySee(ctx.principal, { tenantId: ticket.tenantId, userId: ticket.ownerUserId });
  return visible ? succeed(ticket) : refuse({ code: "not_found", what: "ticket" });
}

/**
 * The ticket from D1, which is the truth of issued tickets, or as its desk issued it: a moment ago, or while D1 is down.
 * @throws what D1 throws when the desk does not know the ticket.
 */
export async function readTicket(ctx: ServiceContext, tenantId: string, ticketId: string): Promise<TicketView | undefined> {
  const stored = await attempt(findTicketRow(ctx.db, tenantId, ticketId));
  if (stored.ok && stored.value) return stored.value;
  const issued = await findDesk(ctx, tenantId, ticketId)?.findTicket(tenantId, ticketId);
  if (!issued && !stored.ok) throw stored.failure;
  return issued && asUnminted(issued);
}
