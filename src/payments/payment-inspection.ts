import type { Result } from "#domain/result";
import type { PaymentEvent, PaymentProviderDown, RequestedRefund } from "./payment-provider.ts";

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

/** Asking a provider instead of waiting for its events. Outages are refusals as data, as everywhere with providers. */
export interface PaymentInspection {
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
