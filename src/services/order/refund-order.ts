import { deskNumberOf, isDeskOfTenant } from "#domain/ids";
import type { MadeOnce, OrderView, RefundCommand } from "#domain/order-messages";
import { pause } from "#platform/clock";
import { findOrderRow } from "#storage/orders";
import { hasHeardOfRefund, type ToldRefund } from "#storage/refunds";
import { attempt } from "../attempt.ts";
import type { SignedInContext } from "../context.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";
import { mergeOrder } from "./find-order.ts";

/** D1 hears of a refund within half a second; so long is waited for it, and not at all while D1 is down. */
const LOOKS_AT_D1 = 30;
const BETWEEN_LOOKS_MS = 100;

/**
 * Pays tickets of any order of the tenant back, all that are left unless some are named. Their codes are dead at the gate before
 * the answer, and lists and reads show it, unless D1 is slower than usual; the money follows. Under the same key the first answer comes
 * again. Refuses `not_found`, `order_not_refundable`, `ticket_not_valid`, `refund_exceeds_payment`, `request_in_flight`,
 * `idempotency_key_reused`, and `overloaded` while the gate cannot be reached: the same key goes on then.
 */
export async function refundOrder(ctx: SignedInContext, command: RefundCommand): Promise<MadeOnce<OrderView>> {
  const { tenantId } = ctx.principal;
  const { orderId } = command;
  const desk = deskNumberOf(orderId);
  if (!isDeskOfTenant(desk, tenantId)) {
    return { ok: false, failure: { code: "not_found", what: "order" }, replayed: false, stock: [] };
  }
  const refunded = await ctx.desk(desk).refund(command);
  if (!refunded.ok) return refunded;
  if (command.restock) forgetStock(refunded.value.lines.map((line) => line.ticketTypeId));
  await awaitD1(ctx, { tenantId, orderId, ticketIds: command.ticketIds, refundedCents: refunded.value.refundedCents });
  const row = await attempt(findOrderRow(ctx.db, tenantId, orderId, ctx.nowMs));
  // D1 hears of the mint first. What it says of refunds may be news of a later one, which is no part of this answer.
  const isFurther = row.ok && row.value !== undefined && row.value.status !== "REFUNDED";
  return isFurther && row.value ? { ...refunded, value: mergeOrder(refunded.value, row.value) } : refunded;
}

async function awaitD1(ctx: SignedInContext, refund: ToldRefund): Promise<void> {
  for (let look = 0; look < LOOKS_AT_D1; look += 1) {
    const heard = await attempt(hasHeardOfRefund(ctx.db, refund));
    if (!heard.ok || heard.value) return;
    await pause(BETWEEN_LOOKS_MS);
  }
}
