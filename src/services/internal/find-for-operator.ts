import type { Failure } from "#domain/failure";
import type { OrderView } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { ServiceContext } from "../context.ts";
import { readOrder } from "../order/find-order.ts";
import { readTicket } from "../ticket/find-ticket.ts";
import type { TicketView } from "../ticket/ticket-view.ts";
import { findTenant } from "./find-tenant.ts";
import { verifyInternalCall, type SignedCall } from "./verify-internal-call.ts";

/** Any tenant's order, for an operator's own service that signed the call. */
export async function findOrderForOperator(
  ctx: ServiceContext,
  call: SignedCall,
  orderId: string,
): Promise<Result<OrderView, Failure>> {
  const signed = verifyInternalCall(ctx, call);
  if (!signed.ok) return signed;
  const tenantId = await findTenant(ctx, "order", orderId);
  const order = tenantId === undefined ? undefined : await readOrder(ctx, tenantId, orderId);
  return order ? succeed(order) : refuse({ code: "not_found", what: "order" });
}

/** Any tenant's ticket, for an operator's own service that signed the call. */
export async function findTicketForOperator(
  ctx: ServiceContext,
  call: SignedCall,
  ticketId: string,
): Promise<Result<TicketView, Failure>> {
  const signed = verifyInternalCall(ctx, call);
  if (!signed.ok) return signed;
  const tenantId = await findTenant(ctx, "ticket", ticketId);
  const ticket = tenantId === undefined ? undefined : await readTicket(ctx, tenantId, ticketId);
  return ticket ? succeed(ticket) : refuse({ code: "not_found", what: "ticket" });
}
