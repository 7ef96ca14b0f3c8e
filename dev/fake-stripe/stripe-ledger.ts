import type { Stripe } from "stripe";
import { impossible, missing, StripeApiError } from "./stripe-error.ts";
import { makeCharge, makeDispute, makeId, makeIntent, makeRefund, type NewIntent } from "./stripe-objects.ts";
import { findTestCard, type TestCard } from "./test-cards.ts";

/** What the account works with. */
export interface LedgerOptions {
  readonly readClockMs: () => number;
  /** Tells what happened to an object. */
  readonly emit: (type: string, object: unknown, previous?: unknown) => void;
  /** Runs something a little later, such as the end of a pending refund. */
  readonly later: (work: () => void) => void;
}

/** What a refund asks for; `amount` left out means all that is left. */
export interface RefundOrder {
  readonly paymentIntent: string;
  readonly amount: number | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  readonly reason: string | null;
}

const CANCELABLE: readonly Stripe.PaymentIntent.Status[] = [
  "requires_payment_method",
  "requires_confirmation",
  "requires_action",
];

/** One Stripe account in memory: PaymentIntents and what follows from them. Every answer is a copy. */
export class StripeLedger {
  readonly #options: LedgerOptions;
  readonly #intents = new Map<string, Stripe.PaymentIntent>();
  readonly #charges = new Map<string, Stripe.Charge>();
  readonly #cards = new Map<string, TestCard>();
  readonly #refunds = new Map<string, Stripe.Refund>();
  readonly #disputes = new Map<string, Stripe.Dispute>();

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  createIntent(order: Omit<NewIntent, "createdSeconds">): Stripe.PaymentIntent {
    const intent = makeIntent({ ...order, createdSeconds: this.#now() });
    this.#options.emit("payment_intent.created", intent);
    return this.#keepIntent(intent);
  }

  findIntent(id: string): Stripe.PaymentIntent {
    const intent = this.#intents.get(id);
    if (intent === undefined) throw missing("payment_intent", id, "intent");
    return intent;
  }

  /** Pays with a test payment method. A declined one leaves the PaymentIntent open for another. */
  confirm(id: string, paymentMethod: string): Stripe.PaymentIntent {
    const intent = this.findIntent(id);
    if (!CANCELABLE.includes(intent.status)) throw unexpectedState(intent, "confirm");
    const card = findTestCard(paymentMethod);
    if (card === undefined) throw missing("PaymentMethod", paymentMethod, "payment_method");
    const charge = makeCharge(intent, this.#now(), card.decline);
    this.#charges.set(charge.id, charge);
    if (card.decline !== null) throw this.#decline(intent, charge, card.decline);
    const paid = this.#keepIntent({
      ...intent,
      amount_received: intent.amount,
      latest_charge: charge.id,
      payment_method: charge.payment_method,
      last_payment_error: null,
      status: "succeeded",
    });
    this.#cards.set(charge.id, card);
    this.#options.emit("charge.succeeded", charge);
    this.#options.emit("payment_intent.succeeded", paid);
    if (card.dispute !== null) this.#openDispute(charge, card.dispute);
    return paid;
  }

  cancelIntent(id: string, reason: string | null): Stripe.PaymentIntent {
    const intent = this.findIntent(id);
    if (!CANCELABLE.includes(intent.status)) throw unexpectedState(intent, "cancel");
    const canceled = this.#keepIntent({
      ...intent,
      status: "canceled",
      canceled_at: this.#now(),
      cancellation_reason: reason,
    });
    this.#options.emit("payment_intent.canceled", canceled);
    return canceled;
  }

  createRefund({ paymentIntent, amount, metadata, reason }: RefundOrder): Stripe.Refund {
    const charge = this.#chargeOf(this.findIntent(paymentIntent));
    if (this.listDisputes(charge.id).some(({ is_charge_refundable: isRefundable }) => !isRefundable)) {
      throw impossible("charge_disputed", `Charge ${charge.id} has been charged back; cannot issue a refund.`);
    }
    const left = charge.amount - charge.amount_refunded;
    if (left === 0) throw impossible("charge_already_refunded", `Charge ${charge.id} has already been refunded.`);
    if (amount !== undefined && amount > left) {
      throw impossible(undefined, `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, "amount");
    }
    const outcome = this.#cards.get(charge.id)?.refunds ?? "succeed";
    const status = outcome === "pend" ? "pending" : "succeeded";
    const refund = makeRefund({ charge, amount: amount ?? left, metadata, reason, status, createdSeconds: this.#now() });
    this.#refunds.set(refund.id, refund);
    const refunded = this.#addRefunded(charge, refund.amount);
    this.#options.emit("refund.created", refund);
    this.#options.emit("charge.refunded", refunded, { amount_refunded: charge.amount_refunded, refunded: false });
    if (outcome === "pend") this.#options.later(() => this.#endRefund(refund.id, "succeeded"));
    if (outcome === "fail_later") this.#options.later(() => this.#endRefund(refund.id, "failed"));
    return refund;
  }

  findRefund(id: string): Stripe.Refund {
    const refund = this.#refunds.get(id);
    if (refund === undefined) throw missing("refund", id);
    return refund;
  }

  /** Of one payment or all, newest first. */
  listRefunds(paymentIntent: string | undefined): Stripe.Refund[] {
    if (paymentIntent !== undefined) this.findIntent(paymentIntent);
    const all = [...this.#refunds.values()].toReversed();
    return paymentIntent === undefined ? all : all.filter((refund) => refund.payment_intent === paymentIntent);
  }

  findDispute(id: string): Stripe.Dispute {
    const dispute = this.#disputes.get(id);
    if (dispute === undefined) throw missing("dispute", id);
    return dispute;
  }

  /** Of one charge or all, newest first. */
  listDisputes(charge?: string): Stripe.Dispute[] {
    const all = [...this.#disputes.values()].toReversed();
    return charge === undefined ? all : all.filter((dispute) => dispute.charge === charge);
  }

  /** Ends a dispute as the evidence, or giving in, decides. An inquiry that is answered ends without a loss. */
  closeDispute(id: string, isWon: boolean): Stripe.Dispute {
    const dispute = this.findDispute(id);
    const isInquiry = dispute.status === "warning_needs_response";
    if (!isInquiry && dispute.status !== "needs_response") throw impossible(undefined, "This dispute is already closed.");
    const status = isWon ? (isInquiry ? "warning_closed" : "won") : "lost";
    const closed: Stripe.Dispute = { ...dispute, status };
    this.#disputes.set(id, closed);
    this.#options.emit("charge.dispute.closed", closed, { status: dispute.status });
    if (status === "won") this.#options.emit("charge.dispute.funds_reinstated", closed);
    return closed;
  }

  #openDispute(charge: Stripe.Charge, status: "needs_response" | "warning_needs_response"): void {
    const dispute = makeDispute(charge, status, this.#now());
    this.#disputes.set(dispute.id, dispute);
    this.#charges.set(charge.id, { ...charge, disputed: true });
    this.#options.emit("charge.dispute.created", dispute);
    if (status === "needs_response") this.#options.emit("charge.dispute.funds_withdrawn", dispute);
  }

  #endRefund(id: string, status: "succeeded" | "failed"): void {
    const refund = this.findRefund(id);
    const ended: Stripe.Refund = {
      ...refund,
      status,
      ...(status === "failed"
        ? { failure_reason: "expired_or_canceled_card", failure_balance_transaction: makeId("txn") }
        : {}),
    };
    this.#refunds.set(id, ended);
    const charge = this.#findCharge(refund.charge);
    if (status === "failed" && charge !== undefined) this.#addRefunded(charge, -refund.amount);
    this.#options.emit("charge.refund.updated", ended, { status: refund.status });
    this.#options.emit(status === "failed" ? "refund.failed" : "refund.updated", ended, { status: refund.status });
  }

  #addRefunded(charge: Stripe.Charge, amount: number): Stripe.Charge {
    const total = charge.amount_refunded + amount;
    const refunded: Stripe.Charge = { ...charge, amount_refunded: total, refunded: total === charge.amount };
    this.#charges.set(charge.id, refunded);
    return refunded;
  }

  #decline(intent: Stripe.PaymentIntent, charge: Stripe.Charge, decline: string): StripeApiError {
    const error = {
      type: "card_error",
      code: "card_declined",
      decline_code: decline,
      message: "Your card was declined.",
    } as const;
    const open = this.#keepIntent({ ...intent, latest_charge: charge.id, last_payment_error: { ...error, charge: charge.id } });
    this.#options.emit("charge.failed", charge);
    this.#options.emit("payment_intent.payment_failed", open);
    return new StripeApiError(402, { ...error, payment_intent: open });
  }

  #chargeOf(intent: Stripe.PaymentIntent): Stripe.Charge {
    const charge = intent.status === "succeeded" ? this.#findCharge(intent.latest_charge) : undefined;
    if (charge === undefined) {
      throw impossible(
        undefined,
        `This PaymentIntent (${intent.id}) does not have a successful charge to refund.`,
        "payment_intent",
      );
    }
    return charge;
  }

  /** Stripe's types let an id be the whole object; here it is always the id. */
  #findCharge(id: string | Stripe.Charge | null): Stripe.Charge | undefined {
    return typeof id === "string" ? this.#charges.get(id) : undefined;
  }

  #keepIntent(intent: Stripe.PaymentIntent): Stripe.PaymentIntent {
    this.#intents.set(intent.id, intent);
    return intent;
  }

  #now(): number {
    return Math.floor(this.#options.readClockMs() / 1000);
  }
}

function unexpectedState(intent: Stripe.PaymentIntent, verb: string): StripeApiError {
  const message = `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`;
  return new StripeApiError(400, {
    type: "invalid_request_error",
    code: "payment_intent_unexpected_state",
    message,
    payment_intent: intent,
  });
}
