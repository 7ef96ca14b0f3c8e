import type { Failure } from "#domain/failure";
import { succeed, type Result } from "#domain/result";
import { listTicketRowsOfOrder } from "#storage/tickets";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { asUnminted, type TicketView } from "../ticket/ticket-view.ts";
import { findOrder, maySee } from "./find-order.ts";

/**
 * The tickets of an order the caller may see; none before it is paid. A buyer does not see those that have changed hands, venue
 * managers see all. While D1 is down, as the desk issued them.
 */
export async function listOrderTickets(ctx: SignedInContext, orderId: string): Promise<Result<readonly TicketView[], Failure>> {
  const order = await findOrder(ctx, orderId);
  if (!order.ok) return order;
  const { tenantId } = order.value;
  // The desk first: tickets that move to D1 between the two reads are then in one of them at least.
  const issued = (await findDesk(ctx, tenantId, orderId)?.listTicketsOfOrder(tenantId, orderId)) ?? [];
  const rows = await attempt(listTicketRowsOfOrder(ctx.db, tenantId, orderId));
  if (!rows.ok && issued.length === 0) throw rows.failure;
  const stored = rows.ok ? rows.value : [];
  const storedIds = new Set(stored.map((row) => row.id));
  const all = [...stored, ...issued.filter((ticket) => !storedIds.has(ticket.id)).map(asUnminted)];
  return succeed(all.filter((ticket) => maySee(ctx.principal, { tenantId, userId: ticket.ownerUserId })));
}
