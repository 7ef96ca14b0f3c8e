import { randomUUID } from "node:crypto";
import type { EventSender, OutgoingEvent } from "./event-sender.ts";
import type { SandboxPayment, SandboxRefund } from "./payment-book.ts";
import type { Trouble } from "./wire-schemas.ts";

/** What can be done to a payment at `POST /payments/:id/<action>`. */
export const PAYMENT_ACTIONS = ["succeed", "fail", "cancel", "dispute"] as const;
export type PaymentAction = (typeof PAYMENT_ACTIONS)[number];

/** What an event says beside its payment. */
type MoreOfEvent = Pick<OutgoingEvent["data"], "reason" | "refundId" | "disputeId">;

/** The ids of the events an action sends, or why it is not possible now. */
export type ActionOutcome =
  | { readonly ok: true; readonly eventIds: readonly string[] }
  | { readonly ok: false; readonly detail: string };

/** Trouble that is none. */
export const NO_TROUBLE: Trouble = { duplicates: 0, delayMs: 0, reorder: "0" };

/**
 * Changes payments and tells the service. An action that was already done answers with the events it sent then and sends
 * nothing new: repeated events are made with `duplicates`.
 */
export class PaymentActions {
  readonly #sender: EventSender;
  readonly #eventIdsByStep = new Map<string, readonly string[]>();

  constructor(sender: EventSender) {
    this.#sender = sender;
  }

  act(action: PaymentAction, payment: SandboxPayment, trouble: Trouble): ActionOutcome {
    switch (action) {
      case "succeed":
        return this.#pay(payment, trouble);
      case "fail":
        return this.#close(payment, "failed", trouble);
      case "cancel":
        return this.#close(payment, "canceled", trouble);
      case "dispute":
        return this.#dispute(payment, trouble);
    }
  }

  /** Tells the outcome of a refund that was booked just now. One that fails after it was taken leaves its money here. */
  reportRefund(refund: SandboxRefund, payment: SandboxPayment, failsAfterAll: boolean): void {
    const { amountCents, reason, idempotencyKey: refundId } = refund;
    if (failsAfterAll && refund.status === "submitted") payment.refundedCents -= amountCents;
    const type = failsAfterAll || refund.status === "failed" ? "refund.failed" : "refund.succeeded";
    this.#tell(payment, type, amountCents, NO_TROUBLE, { reason, refundId });
  }

  /** A declined payment may still be paid, with another card; a canceled one may not. */
  #pay(payment: SandboxPayment, trouble: Trouble): ActionOutcome {
    if (payment.status === "canceled") return { ok: false, detail: "the payment was canceled" };
    if (payment.status === "succeeded") return this.#repeat(payment, "succeeded");
    payment.status = "succeeded";
    payment.paidAmountCents = trouble.amountCents ?? payment.amountCents;
    return this.#tellOnce(payment, "succeeded", "payment.succeeded", trouble);
  }

  #close(payment: SandboxPayment, status: "failed" | "canceled", trouble: Trouble): ActionOutcome {
    if (payment.status === status) return this.#repeat(payment, status);
    if (payment.status === "succeeded") return { ok: false, detail: "the payment was already made" };
    if (payment.status === "canceled") return { ok: false, detail: "the payment was canceled" };
    payment.status = status;
    const reason = status === "failed" ? "card_declined" : "canceled_by_payer";
    return this.#tellOnce(payment, status, `payment.${status}`, trouble, { reason });
  }

  #dispute(payment: SandboxPayment, trouble: Trouble): ActionOutcome {
    const next = trouble.outcome ?? "opened";
    if (payment.status !== "succeeded") return { ok: false, detail: "only a payment that was made can be disputed" };
    if (payment.dispute === next) return this.#repeat(payment, `dispute ${next}`);
    const isNextStep = next === "opened" ? payment.dispute === null : payment.dispute === "opened";
    if (!isNextStep) return { ok: false, detail: `a dispute that is ${payment.dispute ?? "not open"} can't become ${next}` };
    payment.dispute = next;
    payment.disputeId ??= `dsp_${randomUUID().replaceAll("-", "")}`;
    const { disputeId } = payment;
    return this.#tellOnce(payment, `dispute ${next}`, `dispute.${next}`, trouble, { reason: "fraudulent", disputeId });
  }

  #repeat(payment: SandboxPayment, step: string): ActionOutcome {
    return { ok: true, eventIds: this.#eventIdsByStep.get(`${payment.id} ${step}`) ?? [] };
  }

  #tellOnce(payment: SandboxPayment, step: string, type: string, trouble: Trouble, more: MoreOfEvent = {}): ActionOutcome {
    const amountCents = trouble.amountCents ?? payment.paidAmountCents ?? payment.amountCents;
    const eventIds = [this.#tell(payment, type, amountCents, trouble, more)];
    this.#eventIdsByStep.set(`${payment.id} ${step}`, eventIds);
    return { ok: true, eventIds };
  }

  #tell(payment: SandboxPayment, type: string, amountCents: number, trouble: Trouble, more: MoreOfEvent): string {
    const data = {
      paymentId: payment.id,
      orderId: payment.orderId,
      amountCents,
      currency: trouble.currency ?? payment.currency,
      ...more,
    };
    return this.#sender.send(
      { type, timestamp: new Date().toISOString(), data },
      { duplicates: trouble.duplicates, delayMs: trouble.delayMs, isHeldBack: trouble.reorder === "1" },
    );
  }
}
