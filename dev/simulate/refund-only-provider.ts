import { refuse, type Result } from "#domain/result";
import type { PaymentProvider, PaymentProviderDown } from "#payments/payment-provider";

/** What a provider that can't be reached is told as. */
export const DOWN: Result<never, PaymentProviderDown> = refuse({
  code: "payment_provider_down",
  retryAfterSeconds: 1,
  reason: "unreachable",
});

const cannotBeReached = async (): Promise<typeof DOWN> => DOWN;

/** A provider as desks need one: they ask for refunds and nothing else. */
export function makeRefundOnlyProvider(requestRefund: PaymentProvider["requestRefund"]): PaymentProvider {
  return {
    name: "standard",
    requestRefund,
    createPayment: cannotBeReached,
    findPayment: cannotBeReached,
    findRefund: cannotBeReached,
    cancelPayment: cannotBeReached,
    listUndeliveredEvents: cannotBeReached,
    verifyWebhook: async () => refuse({ code: "webhook_malformed", paths: [] }),
  };
}
