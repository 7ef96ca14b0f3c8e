import { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentProviderDown } from "./payment-provider.ts";
import type { CallStripe, StripeCallFailure } from "./stripe-call.ts";
import { METADATA, stripeRefund, type StripeRefund } from "./stripe-schemas.ts";

/** More than an order has tickets; Stripe lists the newest first. */
const REFUNDS_LOOKED_AT = 500;

/**
 * The refund that an earlier try made under this id, whether or not its answer ever reached us.
 *
 * Within 24 hours Stripe's own key would find it. But a refund may be asked for over days while Stripe is out of reach, and a
 * part of a payment could then go back twice.
 */
export async function findRefundMade(
  call: CallStripe,
  paymentId: string,
  ourRefundId: string,
): Promise<Result<StripeRefund | undefined, PaymentProviderDown>> {
  const listed = await call(z.array(stripeRefund), (stripe) =>
    stripe.refunds.list({ payment_intent: paymentId, limit: 100 }).autoPagingToArray({ limit: REFUNDS_LOOKED_AT }),
  );
  if (listed.ok) return succeed(listed.value.find(({ metadata }) => metadata?.[METADATA.refund] === ourRefundId));
  // No such payment: the request for the refund will hear the same, and say so.
  return listed.failure.down.httpStatus === 404 ? succeed(undefined) : refuse(listed.failure.down);
}

/** Refusals that no repetition changes: the money went back by another way, is disputed, or is more than what is left. */
const FINAL_CODES: readonly string[] = ["charge_already_refunded", "charge_disputed", "amount_too_large", "amount_too_small"];

/**
 * True when the refund can never be made, so that a person must look. Every other refusal (a wrong key, no permission, a key
 * reused) may be put right, and the refund is asked for on and on.
 */
export function isRefundImpossible({ down, code, param }: StripeCallFailure): boolean {
  if (down.httpStatus !== 400) return false;
  return param === "amount" || (code !== undefined && FINAL_CODES.includes(code));
}
