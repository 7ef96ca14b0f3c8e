import type { Failure } from "#domain/failure";
import { hasRole } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import { listTransfersOfPerson, listTransfersOfTicket } from "#storage/transfers";
import type { SignedInContext } from "../context.ts";
import { mergeNewest, pageOfRows, type Page, type PageRequest } from "../page.ts";
import { readTicket } from "../ticket/find-ticket.ts";
import { partyOf, viewTransfer, type TransferView } from "./transfer-view.ts";

/** The offers that the caller made or got, by user id or by the e-mail address their token proves, newest first. */
export async function listTransfers(ctx: SignedInContext, page: PageRequest): Promise<Page<TransferView>> {
  const { tenantId } = ctx.principal;
  const rows = await listTransfersOfPerson(ctx.db, { tenantId, ...partyOf(ctx.principal), ...page });
  const views = rows.map((row) => viewTransfer(row, ctx.principal, ctx.nowMs));
  return mergeNewest([], views, page, (view) => view);
}

/**
 * A ticket's chain of ownership, newest offer first: whole for its owner and for venue managers; for anyone else the offers that
 * they were a party to.
 * @returns `not_found` to who was a party to none.
 */
export async function listTicketHistory(
  ctx: SignedInContext,
  ticketId: string,
  page: PageRequest,
): Promise<Result<Page<TransferView>, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const ticket = await readTicket(ctx, tenantId, ticketId);
  if (ticket === undefined) return refuse({ code: "not_found", what: "ticket" });
  const seesAll = ticket.ownerUserId === userId || hasRole(ctx.principal, "venue_manager");
  const party = seesAll ? null : partyOf(ctx.principal);
  const rows = await listTransfersOfTicket(ctx.db, { tenantId, ticketId, party, ...page });
  // Behind a cursor too: a page is asked for where one begins, and an empty one would tell a stranger that the ticket is there.
  if (!seesAll && rows.length === 0) return refuse({ code: "not_found", what: "ticket" });
  const views = rows.map((row) => viewTransfer(row, ctx.principal, ctx.nowMs));
  return succeed(pageOfRows(views, page.limit, (view) => view));
}
