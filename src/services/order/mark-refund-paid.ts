import type { Failure } from "#domain/failure";
import { deskNumberOf } from "#domain/ids";
import { PAID_ELSEWHERE } from "#domain/order-money";
import { refuse, succeed, type Result } from "#domain/result";
import { listRefundRows } from "#storage/refunds";
import type { SignedInContext } from "../context.ts";
import { toRefundView, type RefundView } from "./list-refunds.ts";

/**
 * Notes that a refund was paid by hand, of money that came by another way than a provider, and by whom: the caller. Its order's desk
 * hears of it as of a provider's event, so again and again has the effect of once. Refuses `not_found`, and `refund_not_by_hand` for
 * a refund that a provider pays: only that provider's word counts.
 */
export async function markRefundPaid(
  ctx: SignedInContext,
  { orderId, refundId }: { readonly orderId: string; readonly refundId: string },
): Promise<Result<RefundView, Failure>> {
  const { tenantId, userId: actor } = ctx.principal;
  const refund = (await listRefundRows(ctx.db, tenantId, orderId)).find(({ id }) => id === refundId);
  if (!refund) return refuse({ code: "not_found", what: "refund" });
  if (refund.provider !== PAID_ELSEWHERE) return refuse({ code: "refund_not_by_hand" });
  const { provider, paymentId, amountCents, currency } = refund;
  if (refund.status === "succeeded") return succeed(toRefundView(ctx.principal, refund));
  const settled = await ctx.desk(deskNumberOf(orderId)).settle({
    provider,
    eventId: `paid-back-${refundId}`,
    type: "refund.succeeded",
    rawType: "marked_paid",
    occurredAtMs: ctx.nowMs,
    reason: null,
    disputeId: null,
    paymentId,
    orderId,
    tenantId,
    amountCents,
    currency,
    refundId,
    actor,
  });
  if (settled === "unknown_order") return refuse({ code: "not_found", what: "refund" });
  ctx.logger.info("a refund was paid by hand", { orderId, refundId, actor });
  return succeed(toRefundView(ctx.principal, { ...refund, status: "succeeded", settledBy: actor }));
}
