import type { RefundStatus } from "./statuses.ts";

/** The payment that an order is being settled with. Amount in minor units. */
export interface PaidBy {
  readonly provider: string;
  readonly paymentId: string;
  readonly amountCents: number;
  readonly currency: string;
}

/** Names a payment: the ids of two providers may be alike. */
export type PaymentKey = Pick<PaidBy, "provider" | "paymentId">;

/** Money that reached the organiser by another way than a provider (bank transfer, box office). Nobody can be asked for it back. */
export const PAID_ELSEWHERE = "internal";

/**
 * Why money goes back.
 *
 * - `requested`: by the organiser, for some tickets or all.
 * - `provider`: made at the provider, past this service, which never asks for it.
 * - `dispute_lost`: taken back by the buyer's bank; never asked for either. Its tickets are named later when it was a part.
 * - the others: money that could not become tickets, or not any more.
 */
export type RefundReason =
  | "amount_mismatch"
  | "order_cancelled"
  | "paid_twice"
  | "sold_out_after_expiry"
  | "requested"
  | "provider"
  | "dispute_lost";

/** Money on its way back. `id` is derived and is the provider's idempotency key, so it is asked for once. */
export interface Refund {
  readonly id: string;
  readonly provider: string;
  readonly paymentId: string;
  readonly providerRefundId: string | null;
  readonly status: RefundStatus;
  readonly amountCents: number;
  readonly currency: string;
  readonly reason: RefundReason;
  /** The tickets it pays back; none for money that bought none, and where only the provider knows what it was for. */
  readonly ticketIds: readonly string[];
  /** What the organiser gave as the reason, in free text. */
  readonly note: string | null;
  readonly createdAtMs: number;
  /** Who paid it back by hand. Left out unless somebody did. */
  readonly settledBy?: string;
  /** When that happened of which an event told last, Unix milliseconds. Left out until one does. */
  readonly toldAtMs?: number;
}

/** What made tickets dead. */
export type RecallCause = "refund" | "provider_refund" | "dispute_lost";

/** Tickets that die together: dead at the gate first, then here, then their seats go back on sale if they should. */
export interface Recall {
  /** That of the refund it goes with, so that each step of it can be repeated. */
  readonly id: string;
  readonly ticketIds: readonly string[];
  readonly restock: boolean;
  readonly cause: RecallCause;
  /** Who wants it: a user's id, or `desk`. */
  readonly actor: string;
}

/** A buyer's complaint at the bank about a payment, as its provider tells of it. */
export interface Dispute {
  readonly id: string;
  readonly provider: string;
  readonly paymentId: string;
  readonly status: "opened" | "won" | "lost";
}
