/** A payment provider that can be asked: it answers from a book that the test writes. */
import { refuse, succeed, type Result } from "#domain/result";
import type {
  InspectedPayment,
  PaymentEvent,
  PaymentProvider,
  PaymentProviderDown,
  RequestedRefund,
} from "#payments/payment-provider";

/** What the provider knows, and what it was asked. */
export interface AskedProvider {
  readonly provider: PaymentProvider;
  readonly payments: Map<string, InspectedPayment>;
  readonly refunds: Map<string, RequestedRefund>;
  readonly undelivered: PaymentEvent[];
  /** `find p`, `refund r`, `cancel p`, `list`: in the order they came. */
  readonly asked: string[];
  isDown: boolean;
}

/** A provider that knows no payment yet. It is only asked: no payment is created with it and none is refunded. */
export function makeAskedProvider(): AskedProvider {
  const down: Result<never, PaymentProviderDown> = refuse({
    code: "payment_provider_down",
    retryAfterSeconds: 1,
    reason: "unreachable",
  });
  const answer = async <T>(question: string, read: () => T): Promise<Result<T, PaymentProviderDown>> => {
    world.asked.push(question);
    return world.isDown ? down : succeed(read());
  };
  const world: AskedProvider = {
    payments: new Map(),
    refunds: new Map(),
    undelivered: [],
    asked: [],
    isDown: false,
    provider: {
      name: "standard",
      createPayment: async () => down,
      requestRefund: async () => down,
      verifyWebhook: async () => refuse({ code: "webhook_malformed", paths: [] }),
      findPayment: (paymentId) => answer(`find ${paymentId}`, () => world.payments.get(paymentId)),
      findRefund: (refundId) => answer(`refund ${refundId}`, () => world.refunds.get(refundId)),
      cancelPayment: (paymentId) =>
        answer(`cancel ${paymentId}`, () => {
          const payment = world.payments.get(paymentId);
          if (payment?.status === "open" || payment?.status === "failed")
            world.payments.set(paymentId, { ...payment, status: "canceled" });
          return world.payments.get(paymentId);
        }),
      listUndeliveredEvents: (sinceMs, limit) =>
        answer("list", () => world.undelivered.filter((event) => (event.occurredAtMs ?? 0) >= sinceMs).slice(0, limit)),
    },
  };
  return world;
}
