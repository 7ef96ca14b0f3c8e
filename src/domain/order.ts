import type { Failure } from "./failure.ts";
import type { AppliedDiscount, OrderPayment, OrderView, PaymentNews } from "./order-messages.ts";
import type { Dispute, PaidBy, Recall, Refund } from "./order-money.ts";
import { refuse, succeed, type Result } from "./result.ts";
import { ORDER_STATUS_RANK, type OrderStatus } from "./statuses.ts";

/**
 * What the desk must do next outside itself for an order. Every step may be repeated.
 *
 * - `confirm`: turn each hold into a sale, then issue the tickets.
 * - `give_back`: some hold could not be confirmed; put those that were (`lineNumbers`, as `holdsOf` numbers them) back on
 *   sale, then refund.
 * - `release`: the order was cancelled; give its holds back.
 * - `revoke`: tickets die; the gate first, so that nobody comes in whose money goes back.
 * - `restock`: the seats of tickets that died go back on sale.
 * - `block`, `unblock`: tickets whose payment is disputed are refused at the gate, until that is over.
 */
export type OrderStep =
  | { readonly kind: "none" }
  | { readonly kind: "confirm"; readonly paid: PaidBy | null }
  | { readonly kind: "give_back"; readonly paid: PaidBy | null; readonly lineNumbers: readonly number[] }
  | { readonly kind: "release" }
  | { readonly kind: "revoke"; readonly recall: Recall }
  | { readonly kind: "restock"; readonly recall: Recall }
  | { readonly kind: "block"; readonly ticketIds: readonly string[] }
  | { readonly kind: "unblock"; readonly ticketIds: readonly string[] };

/** An order as its desk stores it. `version` grows with each change and orders the projection. */
export interface OrderRecord {
  readonly view: OrderView;
  readonly route: string;
  readonly bodyHash: string;
  readonly version: number;
  readonly step: OrderStep;
  /** The payment that bought the tickets; null before, and for a free order. */
  readonly paidBy: PaidBy | null;
  readonly refunds: readonly Refund[];
  /** Left out for an order without any. */
  readonly discounts?: readonly AppliedDiscount[];
  /** Attempts at the present step; 0 when none has failed. */
  readonly attempts: number;
  /** Tickets that have changed hands: from then on D1 alone knows whose they are. Left out while there are none. */
  readonly passedOn?: readonly string[];
  /** Tickets that are dead. Left out while there are none. */
  readonly recalled?: readonly string[];
  /** Left out while there are none. */
  readonly disputes?: readonly Dispute[];
  /** Payment events, recorded, that cannot be acted upon yet. Left out while there are none. */
  readonly waiting?: readonly PaymentNews[];
  /** Since when events wait, Unix milliseconds. Left out while none do, and once a person was called. */
  readonly waitingSinceMs?: number;
}

/** The record with something new in it: one version on, with fresh patience for its step. */
export function change(record: OrderRecord, to: Partial<Pick<OrderRecord, "view" | "step">>): OrderRecord {
  return { ...record, ...to, version: record.version + 1, attempts: 0 };
}

/** The view with a higher status, or unchanged when `status` would lower its rank. */
export function raise(view: OrderView, status: OrderStatus): OrderView {
  return ORDER_STATUS_RANK[status] > ORDER_STATUS_RANK[view.status] ? { ...view, status } : view;
}

/** The order as it reads at `nowMs`: an unpaid order whose hold has run out is EXPIRED, whether or not an alarm has said so. */
export function viewAt(record: OrderRecord, nowMs: number): OrderView {
  return isOverdue(record, nowMs) ? raise(record.view, "EXPIRED") : record.view;
}

/** True when an unpaid order's hold has run out (half-open: at `holdExpiresAtMs` it has). */
export function isOverdue(record: OrderRecord, nowMs: number): boolean {
  const unpaid = record.view.status === "PENDING" || record.view.status === "PAYMENT_FAILED";
  return unpaid && record.step.kind === "none" && record.view.holdExpiresAtMs <= nowMs;
}

/** A new order. A free one starts at the step that a paid one reaches with its payment. */
export function newOrder(
  view: OrderView,
  route: string,
  bodyHash: string,
  discounts: readonly AppliedDiscount[] = [],
): OrderRecord {
  const step: OrderStep = view.totalCents === 0 ? { kind: "confirm", paid: null } : { kind: "none" };
  const applied = discounts.length === 0 ? {} : { discounts };
  return { view, route, bodyHash, version: 1, step, paidBy: null, refunds: [], ...applied, attempts: 0 };
}

/**
 * What the request that placed the order was told, to tell it again: an order to pay was PENDING with its payment, a free one
 * was settled in the answer. Without a payment nobody was told anything yet, so the order reads as it is.
 */
export function firstAnswerOf(record: OrderRecord, nowMs: number): OrderView {
  const { view } = record;
  if (view.totalCents === 0) return view.paidAtMs === null ? view : { ...view, status: "AWAITING_MINT" };
  if (view.payment === null) return viewAt(record, nowMs);
  return {
    ...view,
    status: "PENDING",
    payment: { ...view.payment, status: "REQUIRES_ACTION" },
    paidAtMs: null,
    refundedCents: 0,
  };
}

/**
 * Remembers the payment made at the provider. The first one wins; a repeat changes nothing, unless its news came before it
 * and what the buyer has to do is not known yet.
 */
export function attachPayment(record: OrderRecord, payment: OrderPayment): OrderRecord {
  const known = record.view.payment;
  if (known === null) return change(record, { view: { ...record.view, payment } });
  const isSame = known.provider === payment.provider && known.paymentId === payment.paymentId;
  if (!isSame || known.action.type === payment.action.type || known.action.type !== "none") return record;
  return change(record, { view: { ...record.view, payment: { ...known, action: payment.action } } });
}

/** Marks an overdue order EXPIRED. Its inventories have freed the stock by themselves. */
export function expireOrder(record: OrderRecord, nowMs: number): OrderRecord {
  return isOverdue(record, nowMs) ? change(record, { view: raise(record.view, "EXPIRED") }) : record;
}

/** Cancels an unpaid order; refuses one that is being paid, is paid, or has ended, also by being cancelled before. */
export function cancelOrder(record: OrderRecord, nowMs: number): Result<OrderRecord, Failure> {
  const open = viewAt(record, nowMs).status;
  if ((open !== "PENDING" && open !== "PAYMENT_FAILED") || record.step.kind !== "none")
    return refuse({ code: "order_not_pending" });
  return succeed(change(record, { view: raise(record.view, "CANCELLED"), step: { kind: "release" } }));
}
