import type { Failure } from "#domain/failure";
import { deskNumberOf } from "#domain/ids";
import type { OrderView, RequestIdentity } from "#domain/order-messages";
import { succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";

/**
 * Cancels the caller's own unpaid order; its stock is back before the answer. Repeating it gives the same answer, whatever
 * the key: an order is cancelled once. Refuses `not_found` and `order_not_pending`.
 */
export async function cancelOrder(
  ctx: SignedInContext,
  input: { readonly request: RequestIdentity; readonly orderId: string },
): Promise<Result<OrderView, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const cancelled = await ctx.desk(deskNumberOf(input.orderId)).cancel(tenantId, userId, input.orderId);
  if (!cancelled.ok) return cancelled;
  forgetStock(cancelled.order.lines.map((line) => line.ticketTypeId));
  return succeed(cancelled.order);
}
