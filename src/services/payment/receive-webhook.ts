import type { Failure } from "#domain/failure";
import { deskNumberOf, isUuid } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import {
  PAYMENT_PROVIDER_NAMES,
  selectPaymentProvider,
  type ActionablePaymentEvent,
  type IgnoredPaymentEvent,
  type PaymentEvent,
} from "#payments/payment-provider";
import { insertUnmatchedEvent } from "#storage/unmatched-events";
import { attempt } from "../attempt.ts";
import type { ServiceContext } from "../context.ts";

/** A provider's delivery, as it came. */
export interface WebhookDelivery {
  readonly provider: string;
  readonly rawBody: Uint8Array;
  readonly headers: Headers;
}

/**
 * Takes a provider's delivery: verified on its raw bytes, recorded at the order's desk, then acted upon. Success means
 * that the event is durable, or was before, or is of no use here; the provider need not send it again. An event that belongs to no
 * order here, or is of a type that the service ignores, is kept in D1 alone.
 *
 * Refuses `not_found` for a provider the service does not know, `webhook_signature_invalid`, `webhook_malformed`, and
 * `payment_provider_down` for an event that could not be read without asking its provider: the provider sends it again.
 * @throws when the desk cannot be reached: the provider's retry brings the event again.
 */
export async function receiveWebhook(ctx: ServiceContext, delivery: WebhookDelivery): Promise<Result<void, Failure>> {
  if (!PAYMENT_PROVIDER_NAMES.some((name) => name === delivery.provider))
    return refuse({ code: "not_found", what: "payment provider" });
  const provider = selectPaymentProvider(ctx.paymentProviders, delivery.provider);
  if (!provider.ok) return provider;
  const verified = await provider.value.verifyWebhook(delivery.rawBody, delivery.headers, ctx.nowMs);
  if (!verified.ok) {
    ctx.logger.warn("a webhook was refused", {
      provider: delivery.provider,
      refusal: verified.failure.code,
      reason: "reason" in verified.failure ? verified.failure.reason : undefined,
    });
    const { failure } = verified;
    if (failure.code !== "payment_provider_down") return refuse({ code: failure.code });
    return refuse({ code: failure.code, retryAfterSeconds: failure.retryAfterSeconds });
  }
  await takeEvent(ctx, verified.value);
  return succeed(undefined);
}

/**
 * Takes an event that is known to be the provider's: recorded at its order's desk and acted upon, or kept in D1 alone when it
 * belongs to no order or is of a type that the service ignores. Again and again has the effect of once.
 * @throws when the desk or D1 cannot be reached; then it may be recorded or not.
 */
export async function takeEvent(ctx: ServiceContext, event: PaymentEvent): Promise<void> {
  await (event.type === "ignored" ? keepIgnored(ctx, event) : settleAtDesk(ctx, event));
}

/** Best effort: an event of no use here must not be sent again and again because D1 is down. */
async function keepIgnored(ctx: ServiceContext, event: IgnoredPaymentEvent): Promise<void> {
  const { provider, eventId, rawType, occurredAtMs } = event;
  const kept = {
    provider,
    eventId,
    type: rawType,
    rawType,
    outcome: "ignored",
    occurredAtMs: occurredAtMs ?? ctx.nowMs,
  } as const;
  const stored = await attempt(insertUnmatchedEvent(ctx.db, kept, ctx.nowMs));
  if (stored.ok) ctx.logger.info("a webhook of a type the service ignores", { provider, eventType: rawType });
  else ctx.logger.warn("a webhook of a type the service ignores was not kept", { provider, error: stored.failure });
}

async function settleAtDesk(ctx: ServiceContext, event: ActionablePaymentEvent): Promise<void> {
  const { provider, eventId, type, rawType, occurredAtMs, paymentId, orderId, amountCents, currency } = event;
  const outcome = isUuid(orderId)
    ? await ctx.desk(deskNumberOf(orderId)).settle({
        provider,
        eventId,
        type,
        rawType,
        occurredAtMs,
        paymentId,
        orderId,
        ...(event.tenantId === undefined ? {} : { tenantId: event.tenantId }),
        amountCents,
        currency,
        reason: event.reason ?? null,
        refundId: event.refundId ?? null,
        disputeId: event.disputeId ?? null,
      })
    : "unknown_order";
  if (outcome !== "unknown_order") return;
  ctx.logger.error("a payment event belongs to no order", { alert: "payment_event_rejected", provider, eventType: type });
  await insertUnmatchedEvent(ctx.db, { provider, eventId, type, rawType, outcome: "rejected", occurredAtMs }, ctx.nowMs);
}
