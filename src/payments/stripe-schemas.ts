import { z } from "zod";

/** The version of Stripe's API whose shapes are read here; every request names it. */
export const STRIPE_API_VERSION = "2026-10-28.endive";

const stripeId = z.string().min(1).max(255);

/** An id, also where Stripe was asked to put the whole object in its place. */
const expandable = z.union([stripeId, z.object({ id: stripeId }).transform(({ id }) => id)]);

const currency = z
  .string()
  .regex(/^[a-z]{3}$/i)
  .transform((text) => text.toUpperCase());

const metadata = z.record(z.string(), z.string()).nullish();

/** Of a PaymentIntent what the service reads. Fields it does not know are let through, as with every provider. */
export const stripePaymentIntent = z.object({
  id: stripeId,
  /** Open-ended: Stripe adds states, and one that is not known here counts as open. */
  status: z.string().min(1).max(100),
  amount: z.int().min(0),
  amount_received: z.int().min(0),
  currency,
  client_secret: z.string().min(1).max(500).nullish(),
  metadata,
  last_payment_error: z.object({ code: z.string().max(200).nullish(), decline_code: z.string().max(200).nullish() }).nullish(),
  cancellation_reason: z.string().max(200).nullish(),
});
/** A parsed PaymentIntent; the currency is in upper case, as everywhere here. */
export type StripePaymentIntent = z.infer<typeof stripePaymentIntent>;

/** Of a refund what the service reads. */
export const stripeRefund = z.object({
  id: stripeId,
  status: z.string().nullable(),
  amount: z.int().min(0),
  currency,
  payment_intent: expandable.nullable(),
  metadata,
  reason: z.string().max(200).nullish(),
  failure_reason: z.string().max(200).nullish(),
});
/** A parsed refund; the currency is in upper case, as everywhere here. */
export type StripeRefund = z.infer<typeof stripeRefund>;

/** Of a dispute what the service reads. */
export const stripeDispute = z.object({
  id: stripeId,
  status: z.string(),
  amount: z.int().min(0),
  currency,
  payment_intent: expandable.nullable(),
  reason: z.string().max(200).nullish(),
});
/** A parsed dispute; the currency is in upper case, as everywhere here. */
export type StripeDispute = z.infer<typeof stripeDispute>;

/** Of an event what all types share; `created` is in Unix seconds. */
export const stripeEvent = z.object({
  id: stripeId,
  type: z.string().min(1).max(100),
  created: z.int().min(0),
  data: z.object({ object: z.unknown() }),
});

/** Less than an event: how deliveries of another kind (Stripe's thin events) are told from nonsense. */
export const stripeEnvelope = z.object({ id: stripeId, type: z.string().min(1).max(100) });

/** The names under which our ids travel in Stripe's metadata. Without an order of ours there, an object is another's. */
export const METADATA = { order: "order_id", tenant: "tenant_id", refund: "refund_id", reason: "reason" } as const;
