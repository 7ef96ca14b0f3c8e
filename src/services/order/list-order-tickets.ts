import type { Failure } from "#domain/failure";
import { deskNumberOf } from "#domain/ids";
import { succeed, type Result } from "#domain/result";
import { listTicketRowsOfOrder } from "#storage/tickets";
import type { SignedInContext } from "../context.ts";
import { asUnminted, type TicketView } from "../ticket/ticket-view.ts";
import { findOrder } from "./find-order.ts";

/** The tickets of an order the caller may see, as issued; none before it is paid. */
export async function listOrderTickets(ctx: SignedInContext, orderId: string): Promise<Result<readonly TicketView[], Failure>> {
  const order = await findOrder(ctx, orderId);
  if (!order.ok) return order;
  const { tenantId } = order.value;
  const [rows, issued] = await Promise.all([
    listTicketRowsOfOrder(ctx.db, tenantId, orderId),
    ctx.desk(deskNumberOf(orderId)).listTicketsOfOrder(tenantId, orderId),
  ]);
  const stored = new Set(rows.map((row) => row.id));
  return succeed([...rows, ...issued.filter((ticket) => !stored.has(ticket.id)).map(asUnminted)]);
}
