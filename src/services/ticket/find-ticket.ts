import type { Failure } from "#domain/failure";
import { deskNumberOf } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import { findTicketRow } from "#storage/tickets";
import type { ServiceContext, SignedInContext } from "../context.ts";
import { maySee } from "../order/find-order.ts";
import { asUnminted, type TicketView } from "./ticket-view.ts";

/** A ticket the caller may see: their own, or any of the tenant for a venue manager and above; else `not_found`. */
export async function findTicket(ctx: SignedInContext, ticketId: string): Promise<Result<TicketView, Failure>> {
  const ticket = await readTicket(ctx, ctx.principal.tenantId, ticketId);
  const visible = ticket && maySee(ctx.principal, { tenantId: ticket.tenantId, userId: ticket.ownerUserId });
  return visible ? succeed(ticket) : refuse({ code: "not_found", what: "ticket" });
}

/** The ticket from D1, which is the truth of issued tickets, or from the desk that has just issued it. */
export async function readTicket(ctx: ServiceContext, tenantId: string, ticketId: string): Promise<TicketView | undefined> {
  const row = await findTicketRow(ctx.db, tenantId, ticketId);
  if (row) return row;
  const issued = await ctx.desk(deskNumberOf(ticketId)).findTicket(tenantId, ticketId);
  return issued && asUnminted(issued);
}
