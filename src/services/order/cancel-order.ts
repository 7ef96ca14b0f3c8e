import type { CancelCommand, MadeOnce, OrderView } from "#domain/order-messages";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";

/**
 * Cancels the caller's own unpaid order; its stock is back before the answer. Under the same key the first answer comes
 * again. Refuses `not_found`, `order_not_pending` (also of an order that was cancelled before, under another key) and
 * `idempotency_key_reused`.
 */
export async function cancelOrder(ctx: SignedInContext, command: CancelCommand): Promise<MadeOnce<OrderView>> {
  const desk = findDesk(ctx, ctx.principal.tenantId, command.orderId);
  if (!desk) return { ok: false, failure: { code: "not_found", what: "order" }, replayed: false, stock: [] };
  const cancelled = await desk.cancel(command);
  if (cancelled.ok) forgetStock(cancelled.value.lines.map((line) => line.ticketTypeId));
  return cancelled;
}
