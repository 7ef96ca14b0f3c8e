import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentStatus } from "#domain/statuses";

/** Providers a caller may name in `paymentProvider` and in the webhook's path. */
export const PAYMENT_PROVIDER_NAMES = ["standard", "stripe"] as const;
export type PaymentProviderName = (typeof PAYMENT_PROVIDER_NAMES)[number];

/** The events the service acts upon; every other type is acknowledged and ignored. */
export const PAYMENT_EVENT_TYPES = [
  "payment.succeeded",
  "payment.failed",
  "payment.canceled",
  "refund.succeeded",
  "refund.failed",
  "dispute.opened",
  "dispute.won",
  "dispute.lost",
] as const;
export type PaymentEventType = (typeof PAYMENT_EVENT_TYPES)[number];

/**
 * What a buyer is asked to pay.
 * A repeated call with the same idempotency key must carry the same values: providers refuse a key that comes back with
 * another body, so `description` and `expiresAtMs` are taken from the stored order and never made anew.
 */
export interface PaymentRequest {
  readonly orderId: string;
  /** Whose sale it is, for the provider's own lists. */
  readonly tenantId: string;
  /** Minor units of `currency`, 1 or more. */
  readonly amountCents: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** Shown to the buyer by the provider. Holds no personal data. */
  readonly description: string;
  /** Unix milliseconds at which the hold on the stock ends. */
  readonly expiresAtMs: number;
}

/**
 * What the buyer does next: open `url` (`redirect`), give `clientSecret` to the provider's own form (`client_secret`), or
 * nothing.
 */
export interface PaymentAction {
  readonly type: "redirect" | "client_secret" | "none";
  readonly url?: string;
  readonly clientSecret?: string;
}

/** A payment as the provider knows it. `paymentId` is the provider's own id. */
export interface CreatedPayment {
  readonly provider: PaymentProviderName;
  readonly paymentId: string;
  readonly status: PaymentStatus;
  readonly action: PaymentAction;
}

/** Money to be given back for one payment. */
export interface RefundRequest {
  readonly paymentId: string;
  readonly orderId: string;
  /** Minor units of `currency`, 1 or more. */
  readonly amountCents: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
  /** Stable, snake_case reason, such as `amount_mismatch`. Holds no personal data. */
  readonly reason: string;
}

/** A refund as the provider knows it. `submitted` is settled later by a `refund.*` event. */
export interface RequestedRefund {
  readonly refundId: string;
  readonly status: "submitted" | "succeeded" | "failed";
}

/**
 * The provider could not be asked, or gave no usable answer. Whether it acted is unknown, so the caller repeats the call
 * with the same idempotency key. `reason` and `httpStatus` are for the log, never for the buyer.
 */
export interface PaymentProviderDown {
  readonly code: "payment_provider_down";
  readonly retryAfterSeconds: number;
  readonly reason: "timeout" | "unreachable" | "server_error" | "refused" | "unreadable_answer" | "circuit_open";
  readonly httpStatus?: number;
}

/** An authenticated event that the order's desk records and acts upon. */
export interface ActionablePaymentEvent {
  readonly provider: PaymentProviderName;
  /** The provider's event id, the same on every delivery: an event is acted upon once per `(provider, eventId)`. */
  readonly eventId: string;
  readonly type: PaymentEventType;
  /** When it happened at the provider, in Unix milliseconds. Events may arrive in any order. */
  readonly occurredAtMs: number;
  readonly paymentId: string;
  readonly orderId: string;
  /** The order's tenant where the provider carries it: an order of another tenant is none. */
  readonly tenantId?: string;
  readonly amountCents: number;
  readonly currency: string;
  readonly reason?: string;
  /** Of a `refund.*` event: our own id of the refund where the provider carries it, else the provider's. */
  readonly refundId?: string;
  /** Of a `dispute.*` event: the provider's id of the dispute; left out where it gives none. */
  readonly disputeId?: string;
  /** The type in the provider's own words. */
  readonly rawType: string;
}

/** An authenticated event of a type the service does not know: it is recorded, answered with 200, and nothing else happens. */
export interface IgnoredPaymentEvent {
  readonly provider: PaymentProviderName;
  readonly eventId: string;
  readonly type: "ignored";
  /** When it happened at the provider, in Unix milliseconds; null where the event does not say. */
  readonly occurredAtMs: number | null;
  readonly rawType: string;
}

/** An authenticated event: one to act upon, or one of a type the service ignores. */
export type PaymentEvent = ActionablePaymentEvent | IgnoredPaymentEvent;

/** Why a delivery is not authentic (401). `reason` is for the log: a caller that forges learns nothing from the answer. */
export interface WebhookSignatureInvalid {
  readonly code: "webhook_signature_invalid";
  readonly reason: "header_missing" | "header_malformed" | "time_out_of_tolerance" | "no_matching_signature";
}

/** The delivery is authentic, but its body is no payment event (400). `paths` names the fields that are wrong. */
export interface WebhookMalformed {
  readonly code: "webhook_malformed";
  readonly paths: readonly string[];
}

/**
 * Why a delivery is not taken. `payment_provider_down` (503): it is authentic, but whose order it is about must be asked of
 * the provider, who did not answer; the delivery is to come again.
 */
export type WebhookRefusal = WebhookSignatureInvalid | WebhookMalformed | PaymentProviderDown;

/** What a provider knows of one payment when it is asked, for those who reconcile. */
export interface InspectedPayment {
  readonly paymentId: string;
  readonly status: "open" | "succeeded" | "failed" | "canceled";
  /** What was taken, or is to be taken while it is open. Minor units of `currency`. */
  readonly amountCents: number;
  /** ISO 4217, upper case. */
  readonly currency: string;
}

/** The ids of those events that were taken before. */
export type FindKnownEvents = (eventIds: readonly string[]) => Promise<ReadonlySet<string>>;

/**
 * A payment provider, as the sale and the order's desk see it, and those who ask it instead of waiting for its events. Outages are
 * refusals as data: no method throws because a provider is slow, down or answers nonsense.
 */
export interface PaymentProvider {
  readonly name: PaymentProviderName;

  /**
   * Creates a payment, or finds the one made under the same key.
   * @param idempotencyKey the order id: however often it is repeated, there is one payment.
   */
  createPayment(request: PaymentRequest, idempotencyKey: string): Promise<Result<CreatedPayment, PaymentProviderDown>>;

  /**
   * Asks for a refund, or finds the one made under the same key.
   * @param idempotencyKey the refund's derived id: however often it is repeated, money goes back once.
   */
  requestRefund(request: RefundRequest, idempotencyKey: string): Promise<Result<RequestedRefund, PaymentProviderDown>>;

  /**
   * Authenticates a delivery on its raw bytes and reads the event. Changes nothing; refuses before it parses.
   * @param rawBody the request's body exactly as it came. Its size was capped by the HTTP layer.
   * @param nowMs Unix milliseconds; deliveries signed more than 5 minutes before or after it are refused.
   */
  verifyWebhook(rawBody: Uint8Array, headers: Headers, nowMs: number): Promise<Result<PaymentEvent, WebhookRefusal>>;

  /** The payment as the provider knows it now; undefined when it knows none of that id. */
  findPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>>;

  /** The refund as the provider knows it now, by the provider's own id; undefined when it knows none of that id. */
  findRefund(refundId: string): Promise<Result<RequestedRefund | undefined, PaymentProviderDown>>;

  /**
   * Ends an open payment, so that no money can come any more. One that was paid or ended meanwhile stays as it is.
   * @returns the payment as it is after the call.
   */
  cancelPayment(paymentId: string): Promise<Result<InspectedPayment | undefined, PaymentProviderDown>>;

  /**
   * Events that the provider could not deliver, as its webhook would have brought them, oldest first.
   * @param sinceMs Unix milliseconds; older events are left out.
   * @param limit at most so many.
   * @param findKnown which of these events were taken before: a provider that had to ask more about one need not, and may give
   * it as `ignored`.
   */
  listUndeliveredEvents(
    sinceMs: number,
    limit: number,
    findKnown?: FindKnownEvents,
  ): Promise<Result<readonly PaymentEvent[], PaymentProviderDown>>;
}

/** The providers this deployment is configured for. */
export type PaymentProviders = Readonly<Partial<Record<PaymentProviderName, PaymentProvider>>>;

/** The named provider, or `payment_provider_unavailable` (422) when it has no credentials here or is not known. */
export function selectPaymentProvider(
  providers: PaymentProviders,
  name: string,
): Result<PaymentProvider, { readonly code: "payment_provider_unavailable" }> {
  const known = PAYMENT_PROVIDER_NAMES.find((candidate) => candidate === name);
  const provider = known === undefined ? undefined : providers[known];
  return provider === undefined ? refuse({ code: "payment_provider_unavailable" }) : succeed(provider);
}
