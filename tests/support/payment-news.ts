import type { PaymentNews } from "#domain/order-messages";

/** News of an order's payment `pay-<order id>`: its 10.00 EUR were paid just now, unless `changes` say otherwise. */
export function newsOfOrder(orderId: string, changes: Partial<PaymentNews> = {}): PaymentNews {
  return {
    provider: "standard",
    eventId: crypto.randomUUID(),
    type: "payment.succeeded",
    rawType: changes.type ?? "payment.succeeded",
    occurredAtMs: Date.now(),
    paymentId: `pay-${orderId}`,
    orderId,
    amountCents: 1_000,
    currency: "EUR",
    reason: null,
    refundId: null,
    disputeId: null,
    ...changes,
  };
}
