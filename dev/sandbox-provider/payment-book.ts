import { createHash, randomUUID } from "node:crypto";
import { remember } from "#platform/remember";
import type { PaymentOrder, RefundOrder } from "./wire-schemas.ts";

/** A payment as the sandbox answers it. Amounts are minor units of `currency`; times are ISO 8601 UTC. */
export interface SandboxPayment extends PaymentOrder {
  readonly id: string;
  readonly createdAt: string;
  readonly checkoutUrl: string;
  status: "requires_action" | "succeeded" | "failed" | "canceled";
  /** What was taken: the asked amount, unless the caller made trouble with `amountCents`. Null until it is paid. */
  paidAmountCents: number | null;
  refundedCents: number;
  dispute: "opened" | "won" | "lost" | null;
  disputeId: string | null;
}

/**
 * A refund as the sandbox answers it. `failed` is final: the money was not there to give back. How one ended that was taken is told
 * by its event, and by whoever asks for it.
 */
export interface SandboxRefund extends RefundOrder {
  readonly id: string;
  /** The caller's own name for it, which its events carry. */
  readonly idempotencyKey: string;
  readonly createdAt: string;
  readonly status: "submitted" | "succeeded" | "failed";
}

/** What a repeated key gives: the first answer again, or a conflict when the body is another. */
export type Booked<T> = { readonly outcome: "created" | "replayed"; readonly value: T } | { readonly outcome: "conflict" };

/** Payments kept at most; the oldest are forgotten first, so that a long benchmark does not eat the machine. */
const MAX_KEPT = 200_000;

/** The sandbox's payments and refunds. In memory: they are gone with the process. */
export class PaymentBook {
  readonly #payments = new Map<string, SandboxPayment>();
  readonly #refunds = new Map<string, SandboxRefund>();
  readonly #endOfRefunds = new Map<string, "succeeded" | "failed">();
  readonly #answersByKey = new Map<string, { bodyHash: string; id: string }>();

  /** Creates a payment, once per idempotency key. */
  createPayment(order: PaymentOrder, key: string, rawBody: string, baseUrl: string): Booked<SandboxPayment> {
    return this.#once(`payment ${key}`, rawBody, this.#payments, () => {
      const id = `pay_${randomUUID().replaceAll("-", "")}`;
      return {
        id,
        ...order,
        createdAt: new Date().toISOString(),
        checkoutUrl: `${baseUrl}/checkout/${id}`,
        status: "requires_action",
        paidAmountCents: null,
        refundedCents: 0,
        dispute: null,
        disputeId: null,
      };
    });
  }

  /** Books a refund, once per idempotency key: money that is not there, or not of that currency, gives a failed refund. */
  createRefund(order: RefundOrder, payment: SandboxPayment, key: string, rawBody: string): Booked<SandboxRefund> {
    return this.#once(`refund ${key}`, rawBody, this.#refunds, () => {
      const leftCents = (payment.paidAmountCents ?? 0) - payment.refundedCents;
      const isCovered = order.amountCents <= leftCents && order.currency === payment.currency;
      if (isCovered) payment.refundedCents += order.amountCents;
      const id = `ref_${randomUUID().replaceAll("-", "")}`;
      const status = isCovered ? "submitted" : "failed";
      return { id, idempotencyKey: key, ...order, createdAt: new Date().toISOString(), status };
    });
  }

  findPayment(id: string): SandboxPayment | undefined {
    return this.#payments.get(id);
  }

  /** The refund as it is now. */
  findRefund(id: string): SandboxRefund | undefined {
    const refund = this.#refunds.get(id);
    return refund && { ...refund, status: this.#endOfRefunds.get(id) ?? refund.status };
  }

  /** Notes how a refund that was taken ended. */
  endRefund(id: string, status: "succeeded" | "failed"): void {
    remember(this.#endOfRefunds, id, status, MAX_KEPT);
  }

  listRefunds(): SandboxRefund[] {
    return [...this.#refunds.values()];
  }

  #once<T extends { readonly id: string }>(key: string, rawBody: string, kept: Map<string, T>, create: () => T): Booked<T> {
    const bodyHash = createHash("sha256").update(rawBody).digest("hex");
    const earlier = this.#answersByKey.get(key);
    const earlierValue = earlier === undefined ? undefined : kept.get(earlier.id);
    if (earlier !== undefined && earlierValue !== undefined) {
      if (earlier.bodyHash !== bodyHash) return { outcome: "conflict" };
      return { outcome: "replayed", value: earlierValue };
    }
    const value = create();
    remember(kept, value.id, value, MAX_KEPT);
    remember(this.#answersByKey, key, { bodyHash, id: value.id }, MAX_KEPT);
    return { outcome: "created", value };
  }
}
