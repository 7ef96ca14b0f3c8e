import type { Failure } from "#domain/failure";
import { deriveId, deskNumberOf, hashParts } from "#domain/ids";
import type { OrderView } from "#domain/order-messages";
import { PAID_ELSEWHERE } from "#domain/order-money";
import { refuse, succeed, type Result } from "#domain/result";
import { claimIdempotencyKey } from "#storage/idempotency-keys";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";
import { readOrder } from "../order/find-order.ts";
import { findTenant } from "./find-tenant.ts";
import { verifyInternalCall, type SignedCall } from "./verify-internal-call.ts";

/** A payment that reached the organiser by another way (bank transfer, box office). */
export interface PaidElsewhere {
  /** Left out, the signed call's `webhook-id`. */
  readonly paymentId?: string | undefined;
  /** Left out, the order's total and currency: the caller vouches for them. */
  readonly amountCents?: number | undefined;
  readonly currency?: string | undefined;
}

/** What settling an order needs. */
export interface MarkPaidInput {
  readonly call: SignedCall;
  readonly orderId: string;
  /** Reads the call's body; asked only once the signature is found to be good. */
  parse(rawBody: Uint8Array): Result<PaidElsewhere, Failure>;
}

/**
 * Settles an order with a payment taken elsewhere, exactly as a provider's event would. The signed call's `webhook-id` is the
 * event's id, so a repeat changes nothing. Refuses `webhook_signature_invalid`, what `parse` refuses, `not_found`, `amount_mismatch`
 * for a sum that is not the order's, because money taken elsewhere cannot be sent back from here, and `idempotency_key_reused` for a
 * `webhook-id` that was another order's: this one is not paid.
 */
export async function markPaid(ctx: ServiceContext, input: MarkPaidInput): Promise<Result<OrderView, Failure>> {
  const signed = verifyInternalCall(ctx, input.call);
  if (!signed.ok) return signed;
  const paidElsewhere = input.parse(input.call.rawBody);
  if (!paidElsewhere.ok) return paidElsewhere;
  const { orderId } = input;
  const tenantId = await findTenant(ctx, "order", orderId);
  const order = tenantId === undefined ? undefined : await readOrder(ctx, tenantId, orderId);
  if (!order) return refuse({ code: "not_found", what: "order" });
  const { paymentId = signed.value.webhookId, amountCents = order.totalCents, currency = order.currency } = paidElsewhere.value;
  if (amountCents !== order.totalCents || currency !== order.currency) return refuse({ code: "amount_mismatch" });
  if (order.status === "CANCELLED") return refuse({ code: "order_not_pending" });
  if (await isOfAnotherOrder(ctx, order, signed.value.webhookId)) return refuse({ code: "idempotency_key_reused" });
  const outcome = await ctx.desk(deskNumberOf(orderId)).settle({
    provider: PAID_ELSEWHERE,
    eventId: signed.value.webhookId,
    type: "payment.succeeded",
    rawType: "payment.succeeded",
    occurredAtMs: signed.value.signedAtMs,
    paymentId,
    orderId,
    amountCents,
    currency,
    reason: null,
    refundId: null,
    disputeId: null,
  });
  const settled = (await readOrder(ctx, order.tenantId, orderId)) ?? order;
  return outcome === "duplicate" && isUnpaid(settled) ? refuse({ code: "idempotency_key_reused" }) : succeed(settled);
}

/**
 * Notes in D1 whose payment the id is. The signature says nothing of the path, so the headers of one order's call would pay any other,
 * and a desk knows the ids of its own orders alone. While D1 is down those are what counts.
 */
async function isOfAnotherOrder(ctx: ServiceContext, order: OrderView, webhookId: string): Promise<boolean> {
  const request = {
    tenantId: order.tenantId,
    userId: PAID_ELSEWHERE,
    route: "POST /internal/orders/{orderId}/mark-paid",
    requestId: deriveId(0, ["marked paid", webhookId]),
    bodyHash: hashParts([order.id]),
  };
  const claimed = await attempt(claimIdempotencyKey(ctx.db, request, ctx.nowMs));
  return claimed.ok && claimed.value.outcome === "reused";
}

/** True of an order that still waits for money; one whose tickets are being made names the payment that buys them. */
function isUnpaid({ status, payment }: OrderView): boolean {
  return (status === "PENDING" || status === "PAYMENT_FAILED") && payment?.provider !== PAID_ELSEWHERE;
}
