import type { OrderRecord } from "./order.ts";
import type { PaymentEventOutcome } from "./statuses.ts";

/**
 * Why a person should look at a payment (docs/operations.md has what to do).
 *
 * - `dispute`, `dispute_lost`: the buyer's bank asks for the money, or has taken it.
 * - `dispute_lost_in_part`: it has taken a part, and the tickets that this was for are to be named.
 * - `dispute_won_but_recalled`: tickets died while the dispute was open, and may be sold again: nothing revives them.
 * - `dispute_won_after_loss`: what a lost dispute killed stays dead.
 * - `refund_failed`: the provider could not give the money back.
 * - `refund_outside`: somebody gave part of the money back at the provider, and nobody knows for which ticket.
 * - `refund_unknown`: the provider tells of more money given back than came, or of some that it may have told before.
 * - `payment_event_rejected`: too many events wait for the order.
 */
export type PaymentAlert =
  | "amount_mismatch"
  | "paid_twice"
  | "dispute"
  | "dispute_lost"
  | "dispute_lost_in_part"
  | "dispute_won_but_recalled"
  | "dispute_won_after_loss"
  | "refund_failed"
  | "refund_outside"
  | "refund_unknown"
  | "payment_event_rejected";

/** What became of a payment event, and whether a person should look. */
export interface NewsDecision {
  readonly record: OrderRecord;
  readonly outcome: PaymentEventOutcome;
  readonly alert: PaymentAlert | null;
}

/** The event changes nothing. */
export function ignore(record: OrderRecord, alert: PaymentAlert | null = null): NewsDecision {
  return { record, outcome: "ignored", alert };
}

/** The event has changed the order. */
export function apply(record: OrderRecord, alert: PaymentAlert | null = null): NewsDecision {
  return { record, outcome: "applied", alert };
}
