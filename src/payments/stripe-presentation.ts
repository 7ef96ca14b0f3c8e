import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentStatus } from "#domain/statuses";
import type { CreatedPayment, InspectedPayment, PaymentProviderDown, RequestedRefund } from "./payment-provider.ts";
import { fromStripeAmount } from "./stripe-amount.ts";
import type { StripePaymentIntent } from "./stripe-schemas.ts";

/** States in which the buyer has nothing more to do, now or ever. */
const NOT_IN_BUYERS_HANDS: readonly string[] = ["processing", "requires_capture", "succeeded", "canceled"];

const UNREADABLE: PaymentProviderDown = { code: "payment_provider_down", retryAfterSeconds: 5, reason: "unreadable_answer" };

/** A PaymentIntent as the sale sees it: the buyer's own browser pays it with the client secret. */
export function presentCreated(intent: StripePaymentIntent): Result<CreatedPayment, PaymentProviderDown> {
  const { id, status, client_secret: clientSecret } = intent;
  const made = { provider: "stripe", paymentId: id, status: paymentStatusOf(status) } as const;
  if (NOT_IN_BUYERS_HANDS.includes(status)) return succeed({ ...made, action: { type: "none" } });
  if (clientSecret === null || clientSecret === undefined) return refuse(UNREADABLE);
  return succeed({ ...made, action: { type: "client_secret", clientSecret } });
}

/** Stripe keeps a declined payment open for another try, so none of its states is FAILED. */
function paymentStatusOf(status: string): PaymentStatus {
  if (status === "succeeded") return "SUCCEEDED";
  return status === "canceled" ? "CANCELED" : "REQUIRES_ACTION";
}

/** A PaymentIntent for those who reconcile. */
export function presentInspected(intent: StripePaymentIntent): Result<InspectedPayment, PaymentProviderDown> {
  const { id, status, currency } = intent;
  const known = status === "succeeded" || status === "canceled" ? status : "open";
  const amountCents = fromStripeAmount(known === "succeeded" ? intent.amount_received : intent.amount, currency);
  if (amountCents === undefined) return refuse(UNREADABLE);
  return succeed({ paymentId: id, status: known, amountCents, currency });
}

/** A refund's state as we keep it; one that waits for somebody (`pending`, `requires_action`) is on its way. */
export function refundStatusOf(status: string | null): RequestedRefund["status"] {
  if (status === "succeeded") return "succeeded";
  return status === "failed" || status === "canceled" ? "failed" : "submitted";
}
