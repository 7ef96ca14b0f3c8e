import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentStatus } from "#domain/statuses";
import type { InspectedPayment } from "./payment-inspection.ts";
import type { CreatedPayment, PaymentProviderDown, RequestedRefund } from "./payment-provider.ts";
import { fromStripeAmount } from "./stripe-amount.ts";
import type { StripePaymentIntent } from "./stripe-schemas.ts";

/** Stripe keeps a declined payment open for another try, so none of its states is FAILED. */
const PAYMENT_STATUS_OF = {
  requires_payment_method: "REQUIRES_ACTION",
  requires_confirmation: "REQUIRES_ACTION",
  requires_action: "REQUIRES_ACTION",
  processing: "REQUIRES_ACTION",
  requires_capture: "REQUIRES_ACTION",
  succeeded: "SUCCEEDED",
  canceled: "CANCELED",
} as const satisfies Record<StripePaymentIntent["status"], PaymentStatus>;

const NOT_IN_BUYERS_HANDS: readonly StripePaymentIntent["status"][] = [
  "processing",
  "requires_capture",
  "succeeded",
  "canceled",
];

const UNREADABLE: PaymentProviderDown = { code: "payment_provider_down", retryAfterSeconds: 5, reason: "unreadable_answer" };

/** A PaymentIntent as the sale sees it: the buyer's own browser pays it with the client secret. */
export function presentCreated(intent: StripePaymentIntent): Result<CreatedPayment, PaymentProviderDown> {
  const { id, status, client_secret: clientSecret } = intent;
  const made = { provider: "stripe", paymentId: id, status: PAYMENT_STATUS_OF[status] } as const;
  if (NOT_IN_BUYERS_HANDS.includes(status)) return succeed({ ...made, action: { type: "none" } });
  if (clientSecret === null || clientSecret === undefined) return refuse(UNREADABLE);
  return succeed({ ...made, action: { type: "client_secret", clientSecret } });
}

/** A PaymentIntent for those who reconcile. */
export function presentInspected(intent: StripePaymentIntent): Result<InspectedPayment, PaymentProviderDown> {
  const { id, status, currency } = intent;
  const isTaken = status === "succeeded";
  const amountCents = fromStripeAmount(isTaken ? intent.amount_received : intent.amount, currency);
  if (amountCents === undefined) return refuse(UNREADABLE);
  return succeed({ paymentId: id, status: isTaken || status === "canceled" ? status : "open", amountCents, currency });
}

/** A refund's state as we keep it; one that waits for somebody (`pending`, `requires_action`) is on its way. */
export function refundStatusOf(status: string | null): RequestedRefund["status"] {
  if (status === "succeeded") return "succeeded";
  return status === "failed" || status === "canceled" ? "failed" : "submitted";
}
