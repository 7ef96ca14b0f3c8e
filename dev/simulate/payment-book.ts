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
  /**
   * What was asked back under each key, or by hand at the provider under its own id, and whether it was taken. A provider says the
   * same to a key each time.
   */
  readonly refunds: Map<string, { readonly amountCents: number; isTaken: boolean }>;
  /** What went to a bank after lost disputes. */
  lostCents: number;
  isDisputed: boolean;
  wasDisputed: boolean;
}

/** What went back of a payment, at the provider. */
export function goneCentsOf({ refunds, lostCents }: Payment): number {
  return [...refunds.values()].reduce((sum, { amountCents, isTaken }) => sum + (isTaken ? amountCents : 0), lostCents);
}

/** The provider's book: whose money it took, and what went back. It takes a key once, and never gives back more than it has. */
export class PaymentBook {
  readonly payments = new Map<string, Payment>();
  readonly #report: Report;
  #events = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Creates the payment, or finds it. */
  create(paymentId: string, orderId: string, amountCents: number, currency: string): Payment {
    const known = this.payments.get(paymentId);
    if (known) return known;
    const facts = { paymentId, orderId, amountCents, currency };
    const payment: Payment = {
      ...facts,
      captured: false,
      refunds: new Map(),
      lostCents: 0,
      isDisputed: false,
      wasDisputed: false,
    };
    this.payments.set(paymentId, payment);
    return payment;
  }

  /** Takes the buyer's money. */
  capture(payment: Payment, nowMs: number): PaymentNews {
    payment.captured = true;
    return this.newsOf(payment, "payment.succeeded", nowMs);
  }

  /** A new event about a payment. */
  newsOf(
    { paymentId, orderId, amountCents, currency }: Payment,
    type: PaymentNews["type"],
    nowMs: number,
    changes: Partial<Pick<PaymentNews, "amountCents" | "refundId" | "disputeId">> = {},
  ): PaymentNews {
    this.#events += 1;
    const eventId = `event-${this.#events}`;
    const what = { provider: "standard", eventId, type, rawType: type, occurredAtMs: nowMs, reason: null } as const;
    return { ...what, paymentId, orderId, amountCents, currency, refundId: null, disputeId: null, ...changes };
  }

  /** Takes a refund or finds that it cannot, once a key. @returns undefined for a key that came before. */
  refund(request: RefundRequest, key: string): { readonly payment: Payment; readonly isTaken: boolean } | undefined {
    const { paymentId, amountCents, currency, orderId } = request;
    const payment = this.payments.get(paymentId);
    if (!payment?.captured || payment.orderId !== orderId || payment.currency !== currency) {
      this.#report(`refund ${key} is of payment ${paymentId}, of which no such money came`);
      return undefined;
    }
    const known = payment.refunds.get(key);
    if (known && known.amountCents !== amountCents) this.#report(`refund ${key} came back over another amount`);
    if (known) return undefined;
    const isTaken = !payment.isDisputed && amountCents <= payment.amountCents - goneCentsOf(payment);
    payment.refunds.set(key, { amountCents, isTaken });
    return { payment, isTaken };
  }
}
