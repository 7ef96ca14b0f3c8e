import type { z } from "zod";
import { isUuid } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import type {
  ActionablePaymentEvent,
  IgnoredPaymentEvent,
  PaymentEvent,
  PaymentEventType,
  PaymentProviderDown,
  WebhookMalformed,
} from "./payment-provider.ts";
import { fromStripeAmount } from "./stripe-amount.ts";
import { refundStatusOf } from "./stripe-presentation.ts";
import {
  METADATA,
  stripeDispute,
  stripeEnvelope,
  stripeEvent,
  stripePaymentIntent,
  stripeRefund,
  type StripeDispute,
  type StripePaymentIntent,
  type StripeRefund,
} from "./stripe-schemas.ts";

/** Stripe's types that may say something of a payment; the list of undelivered events is asked for these alone. */
export const STRIPE_EVENT_TYPES = [
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "charge.dispute.created",
  "charge.dispute.closed",
  "charge.dispute.funds_reinstated",
] as const;
type StripeEventType = (typeof STRIPE_EVENT_TYPES)[number];

/** Asks Stripe for a PaymentIntent; undefined when it knows none. */
export type FindIntent = (paymentId: string) => Promise<Result<StripePaymentIntent | undefined, PaymentProviderDown>>;

type Reading = Promise<Result<PaymentEvent, WebhookMalformed | PaymentProviderDown>>;

/** What an event says, before it is known whose order it is about. `type` is undefined when it says nothing new. */
interface Reported {
  readonly type: PaymentEventType | undefined;
  readonly paymentId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Metadata;
  /** Made without our metadata, it may still belong to a payment that has it. */
  readonly asksPayment: boolean;
  readonly reason: string | null | undefined;
  readonly refundId?: string;
  readonly disputeId?: string;
}

type Metadata = Readonly<Record<string, string>> | null | undefined;

const INTENT_TYPES = {
  "payment_intent.succeeded": "payment.succeeded",
  "payment_intent.payment_failed": "payment.failed",
  "payment_intent.canceled": "payment.canceled",
} as const satisfies Partial<Record<StripeEventType, PaymentEventType>>;

/**
 * Reads a verified event of Stripe's.
 *
 * A refund has succeeded or failed when its status says so, whichever `refund.*` event brings it: a card's refund is done
 * when it is created, another's is updated later, and one that was done may fail weeks after. `charge.refunded` tells the
 * same without naming the refund, so it is ignored.
 *
 * Whose order it is stands in the metadata of the PaymentIntent and of our refunds. Refunds made in the dashboard and
 * disputes have none: their PaymentIntent is asked for. What has no order of ours belongs to another user of the account.
 * @returns the event, an `ignored` one, `webhook_malformed` for what is no such event, or `payment_provider_down` when the
 * PaymentIntent was needed and could not be read: Stripe then delivers the event again.
 */
export async function readStripeEvent(body: unknown, findIntent: FindIntent): Reading {
  const envelope = stripeEnvelope.safeParse(body);
  if (!envelope.success) return refuseBody(envelope.error, []);
  const event = stripeEvent.safeParse(body);
  const rawType = STRIPE_EVENT_TYPES.find((type) => type === envelope.data.type);
  if (rawType === undefined) return succeed(ignored(envelope.data, event.data?.created));
  if (!event.success) return refuseBody(event.error, []);
  const { id: eventId, created, data } = event.data;
  const nothing = succeed(ignored(event.data, created));

  const read = readObject(rawType, data.object);
  if (!read.ok) return read;
  const reported = read.value;
  const { type, paymentId, currency } = reported;
  if (type === undefined || paymentId === null) return nothing;
  const owner = await findOwner(reported, paymentId, findIntent);
  if (!owner.ok) return owner;
  if (owner.value === undefined) return nothing;
  const amountCents = fromStripeAmount(reported.amount, currency);
  if (amountCents === undefined) return refuse({ code: "webhook_malformed", paths: ["data.object.amount"] });
  return succeed({
    provider: "stripe",
    eventId,
    type,
    occurredAtMs: created * 1000,
    paymentId,
    ...owner.value,
    amountCents,
    currency,
    rawType,
    ...whereKnown(reported),
  });
}

function whereKnown({
  reason,
  refundId,
  disputeId,
}: Reported): Pick<ActionablePaymentEvent, "reason" | "refundId" | "disputeId"> {
  return {
    ...(reason === null || reason === undefined ? {} : { reason }),
    ...(refundId === undefined ? {} : { refundId }),
    ...(disputeId === undefined ? {} : { disputeId }),
  };
}

function readObject(type: StripeEventType, object: unknown): Result<Reported, WebhookMalformed> {
  switch (type) {
    case "payment_intent.succeeded":
    case "payment_intent.payment_failed":
    case "payment_intent.canceled":
      return parseAs(stripePaymentIntent, object, (intent) => reportIntent(INTENT_TYPES[type], intent));
    case "refund.created":
    case "refund.updated":
    case "refund.failed":
      return parseAs(stripeRefund, object, reportRefund);
    case "charge.dispute.created":
    case "charge.dispute.closed":
    case "charge.dispute.funds_reinstated":
      return parseAs(stripeDispute, object, (dispute) => reportDispute(type === "charge.dispute.created", dispute));
  }
}

function parseAs<T>(schema: z.ZodType<T>, object: unknown, report: (value: T) => Reported): Result<Reported, WebhookMalformed> {
  const parsed = schema.safeParse(object);
  return parsed.success ? succeed(report(parsed.data)) : refuseBody(parsed.error, ["data", "object"]);
}

function reportIntent(type: PaymentEventType, intent: StripePaymentIntent): Reported {
  const { last_payment_error: error, cancellation_reason: cancellation } = intent;
  return {
    type,
    paymentId: intent.id,
    amount: type === "payment.succeeded" ? intent.amount_received : intent.amount,
    currency: intent.currency,
    metadata: intent.metadata,
    asksPayment: false,
    reason:
      type === "payment.failed" ? (error?.decline_code ?? error?.code) : type === "payment.canceled" ? cancellation : null,
  };
}

function reportRefund(refund: StripeRefund): Reported {
  const { status, amount, currency, metadata, payment_intent: paymentId } = refund;
  return {
    type: refundOutcome(status),
    paymentId,
    amount,
    currency,
    metadata,
    asksPayment: true,
    reason: refund.failure_reason ?? metadata?.[METADATA.reason] ?? refund.reason,
    refundId: metadata?.[METADATA.refund] ?? refund.id,
  };
}

function refundOutcome(status: string | null): PaymentEventType | undefined {
  const known = refundStatusOf(status);
  return known === "submitted" ? undefined : `refund.${known}`;
}

function reportDispute(isNew: boolean, dispute: StripeDispute): Reported {
  const { id: disputeId, amount, currency, reason, payment_intent: paymentId } = dispute;
  const type = disputeOutcome(isNew, dispute.status);
  return { type, paymentId, amount, currency, metadata: null, asksPayment: true, reason, disputeId };
}

/**
 * An inquiry (`warning_…`) counts as a dispute from the start: it may become one. Closed as `warning_closed` or `prevented`
 * it took nothing, which is what winning means here; money that prevention gave back is told as a refund.
 */
function disputeOutcome(isNew: boolean, status: string): PaymentEventType | undefined {
  if (status === "lost") return "dispute.lost";
  if (status === "won" || status === "warning_closed") return "dispute.won";
  if (status === "prevented") return isNew ? undefined : "dispute.won";
  return isNew ? "dispute.opened" : undefined;
}

/** Whose event it is. The tenant is left out where a refund's metadata does not name it. */
type Owner = Pick<ActionablePaymentEvent, "orderId" | "tenantId">;

/** The order that metadata names, or else the one of the payment; undefined for what is not ours. */
async function findOwner(
  { metadata, asksPayment }: Reported,
  paymentId: string,
  findIntent: FindIntent,
): Promise<Result<Owner | undefined, PaymentProviderDown>> {
  const named = ownerIn(metadata);
  if (named !== undefined || !asksPayment) return succeed(named);
  const found = await findIntent(paymentId);
  return found.ok ? succeed(ownerIn(found.value?.metadata)) : found;
}

/** Other programs write `order_id` too; ours is a UUID, and stands beside a tenant or a refund of ours. */
function ownerIn(metadata: Metadata): Owner | undefined {
  const orderId = metadata?.[METADATA.order];
  const tenantId = metadata?.[METADATA.tenant];
  const beside = tenantId ?? metadata?.[METADATA.refund];
  if (orderId === undefined || !isUuid(orderId) || beside === undefined || !isUuid(beside)) return undefined;
  return { orderId, ...(tenantId === undefined ? {} : { tenantId }) };
}

function ignored({ id, type }: { readonly id: string; readonly type: string }, createdSeconds?: number): IgnoredPaymentEvent {
  const occurredAtMs = createdSeconds === undefined ? null : createdSeconds * 1000;
  return { provider: "stripe", eventId: id, type: "ignored", occurredAtMs, rawType: type };
}

function refuseBody(error: z.ZodError, within: readonly string[]): Result<never, WebhookMalformed> {
  return refuse({ code: "webhook_malformed", paths: error.issues.map(({ path }) => [...within, ...path].join(".")) });
}
