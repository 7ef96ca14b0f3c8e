import type { PaymentNews } from "#domain/order-messages";
import type { RefundRequest } from "#payments/payment-provider";
import type { Report } from "./stock-model.ts";

/** A payment as the simulated provider keeps it. Amounts in minor units. */
export interface Payment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amountCents: number;
  readonly currency: string;
  captured: boolean;
  /** The key of the refund that was taken; undefined while none was. */
  refundKey: string | undefined;
}

/** The provider's book: whose money it took, and what went back. It takes a key twice and a payment's refund once. */
export class PaymentBook {
  readonly payments = new Map<string, Payment>();
  readonly #refunds = new Map<string, string>();
  readonly #report: Report;
  #events = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Creates the payment, or finds it. */
  create(paymentId: string, orderId: string, amountCents: number, currency: string): Payment {
    const known = this.payments.get(paymentId);
    if (known) return known;
    const payment: Payment = { paymentId, orderId, amountCents, currency, captured: false, refundKey: undefined };
    this.payments.set(paymentId, payment);
    return payment;
  }

  /** Takes the buyer's money. */
  capture(payment: Payment, nowMs: number): PaymentNews {
    payment.captured = true;
    return this.newsOf(payment, "payment.succeeded", nowMs);
  }

  /** A new event about a payment. */
  newsOf(payment: Payment, type: PaymentNews["type"], nowMs: number): PaymentNews {
    this.#events += 1;
    const { paymentId, orderId, amountCents, currency } = payment;
    const eventId = `event-${this.#events}`;
    return {
      provider: "standard",
      eventId,
      type,
      rawType: type,
      occurredAtMs: nowMs,
      paymentId,
      orderId,
      amountCents,
      currency,
      reason: null,
      refundId: null,
      disputeId: null,
    };
  }

  /** Takes a refund, or finds the one under this key. */
  refund(request: RefundRequest, key: string): Payment | undefined {
    const { paymentId, amountCents, currency, orderId } = request;
    const asked = JSON.stringify([paymentId, orderId, amountCents, currency]);
    const known = this.#refunds.get(key);
    if (known !== undefined && known !== asked) this.#report(`refund ${key} came back with another body`);
    this.#refunds.set(key, asked);
    const payment = this.payments.get(paymentId);
    if (!payment?.captured) this.#report(`refund of payment ${paymentId}, of which no money came`);
    if (payment?.amountCents !== amountCents) this.#report(`refund of payment ${paymentId} over a wrong amount`);
    if (payment?.refundKey !== undefined && payment.refundKey !== key) this.#report(`payment ${paymentId} refunded twice`);
    if (payment) payment.refundKey = key;
    return known === undefined ? payment : undefined;
  }
}
