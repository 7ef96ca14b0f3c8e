import { deskNumberFor } from "#domain/ids";
import { hasRole } from "#domain/principal";
import { refuse, succeed, type Result } from "#domain/result";
import type { Failure } from "#domain/failure";
import { listStoredTicketIds, listTicketRows } from "#storage/tickets";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { mergeNewest, pageOfRecent, type Page, type PageRequest } from "../page.ts";
import { asUnminted, type TicketView } from "./ticket-view.ts";

/**
 * The caller's own tickets, newest first, with those issued a moment ago. While D1 is down the desk lists alone what it issued.
 * @throws what D1 throws when the page asked for is older than what the desk knows.
 */
export function listTickets(ctx: SignedInContext, page: PageRequest): Promise<Page<TicketView>> {
  return listTicketsOf(ctx, ctx.principal.userId, page);
}

/** A user's tickets, for the user and for venue managers; for anyone else the user does not exist. */
export async function listUserTickets(
  ctx: SignedInContext,
  userId: string,
  page: PageRequest,
): Promise<Result<Page<TicketView>, Failure>> {
  if (userId !== ctx.principal.userId && !hasRole(ctx.principal, "venue_manager")) {
    return refuse({ code: "not_found", what: "user" });
  }
  return succeed(await listTicketsOf(ctx, userId, page));
}

async function listTicketsOf(ctx: SignedInContext, userId: string, page: PageRequest): Promise<Page<TicketView>> {
  const { tenantId } = ctx.principal;
  const desk = ctx.desk(deskNumberFor(tenantId, userId, ctx.desksPerTenant));
  // The desk first: a ticket that moves to D1 between the two reads is then in one of them at least.
  const issued = await desk.listRecentTickets(tenantId, userId);
  const stored = await attempt(listTicketRows(ctx.db, { tenantId, ownerUserId: userId, ...page }));
  if (stored.ok) {
    const unstored = await findUnstored(ctx, tenantId, issued);
    return mergeNewest(stored.value, unstored.map(asUnminted), page, (_recent, row) => row);
  }
  const known = pageOfRecent(issued.map(asUnminted), page);
  if (!known) throw stored.failure;
  ctx.logger.warn("D1 is down, a desk listed tickets alone", { error: stored.failure });
  return known;
}

/** Those of the issued tickets that D1 has no row for; a ticket it has may have another owner by now. */
async function findUnstored<T extends { readonly id: string }>(
  ctx: SignedInContext,
  tenantId: string,
  issued: readonly T[],
): Promise<readonly T[]> {
  if (issued.length === 0) return [];
  const stored = await listStoredTicketIds(
    ctx.db,
    tenantId,
    issued.map((ticket) => ticket.id),
  );
  return issued.filter((ticket) => !stored.has(ticket.id));
}
