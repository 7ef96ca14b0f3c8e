import type { DiscountUse } from "./discount-stock.ts";
import type { Failure } from "./failure.ts";
import type { InventorySnapshot } from "./inventory-messages.ts";
import type { OrderStatus, PaymentStatus, ReservationStatus, TicketStatus } from "./statuses.ts";

/** A priced line of an order. Money in minor units; `taxCents` is contained in the price and fee. */
export interface OrderLine {
  readonly lineNumber: number;
  readonly ticketTypeId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
  readonly discountCents: number;
  readonly feeCents: number;
  readonly taxCents: number;
  readonly totalCents: number;
}

/** The sums of an order's lines, in minor units. */
export interface OrderTotals {
  readonly currency: string;
  readonly subtotalCents: number;
  readonly discountCents: number;
  readonly feeCents: number;
  readonly taxCents: number;
  readonly totalCents: number;
}

/** A discount that an order got: how much off which line, and the stock of it that the order needs (none when it has no cap). */
export interface AppliedDiscount {
  readonly discountId: string;
  readonly lines: readonly { readonly lineNumber: number; readonly amountCents: number }[];
  readonly uses: readonly DiscountUse[];
  /** End of an early bird, Unix milliseconds: money that comes after it and after the hold has no right to its price. */
  readonly untilMs?: number;
}

/** So many tickets of one type. */
export interface BasketLine {
  readonly ticketTypeId: string;
  readonly quantity: number;
}

/** How the buyer pays: created at the provider, with the order id as key. */
export interface OrderPayment {
  readonly provider: string;
  readonly paymentId: string;
  readonly status: PaymentStatus;
  readonly action: { readonly type: string; readonly url?: string; readonly clientSecret?: string };
}

/** A hold as its desk keeps it: which inventories hold what, for whom, until when. */
export interface HoldView {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly eventId: string;
  readonly status: ReservationStatus;
  readonly expiresAtMs: number;
  readonly lines: readonly BasketLine[];
}

/** An order as its desk keeps it. */
export interface OrderView extends OrderTotals {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly eventId: string;
  readonly orderNumber: string;
  readonly status: OrderStatus;
  readonly lines: readonly OrderLine[];
  readonly reservationId: string;
  readonly holdExpiresAtMs: number;
  readonly walletAddress: string | null;
  readonly payment: OrderPayment | null;
  readonly createdAtMs: number;
  readonly paidAtMs: number | null;
  /** How much of the payment that bought the tickets has gone back or goes back, in minor units. */
  readonly refundedCents: number;
}

/** A ticket as its desk issued it. */
export interface IssuedTicket {
  readonly id: string;
  readonly tenantId: string;
  readonly eventId: string;
  readonly ticketTypeId: string;
  readonly orderId: string;
  readonly ownerUserId: string;
  readonly status: TicketStatus;
  readonly credentialEpoch: number;
  readonly walletAddress: string | null;
  readonly createdAtMs: number;
}

/** A ticket to mint, as the mint queue carries it. */
export interface MintMessage {
  readonly ticketId: string;
  readonly tenantId: string;
}

/** Who sends a request that makes something, and how the desk recognises it when it comes again. */
export interface RequestIdentity {
  readonly tenantId: string;
  readonly userId: string;
  /** Derived from tenant, user, route and Idempotency-Key; becomes the id of what is made. */
  readonly requestId: string;
  readonly route: string;
  /** SHA-256 of the parsed body, so that a reused key with another body shows. */
  readonly bodyHash: string;
}

/** The longest to hold every line of a basket. Left out for a single line: its own type says how long. */
export interface SharedHoldTime {
  readonly holdMs?: number;
}

/** A request to hold stock. */
export interface HoldCommand extends SharedHoldTime {
  readonly request: RequestIdentity;
  readonly eventId: string;
  readonly lines: readonly BasketLine[];
}

/** A request to buy. */
export interface PlaceCommand extends SharedHoldTime {
  readonly request: RequestIdentity;
  readonly eventId: string;
  /** Undefined: hold the lines now. Otherwise the buyer's own hold, whose lines these are. */
  readonly reservationId?: string;
  readonly lines: readonly OrderLine[];
  readonly totals: OrderTotals;
  /** Left out for an order without any. */
  readonly discounts?: readonly AppliedDiscount[];
  readonly walletAddress: string | null;
}

/** A buyer's wish to cancel an order. The same key for another order is a reused key, so the desk hashes `orderId` with the body. */
export interface CancelCommand {
  readonly request: RequestIdentity;
  readonly orderId: string;
}

/**
 * The organiser's wish to pay tickets back (`request.userId` is theirs, not the buyer's). The same key for another order is a
 * reused key, so the desk hashes `orderId` with the body.
 */
export interface RefundCommand {
  readonly request: RequestIdentity;
  readonly orderId: string;
  /** Null for all tickets that are not paid back yet. */
  readonly ticketIds: readonly string[] | null;
  readonly reason: string;
  /** Puts the seats back on sale. */
  readonly restock: boolean;
  /** The order's status in D1, which hears of the mint and the desk does not; null when D1 is away or slow. Part of the answer alone. */
  readonly statusInD1: OrderStatus | null;
}

/** Stock figures that came back with the holds, so that the caller's next read of a type is not older than its own hold. */
export type StockNews = readonly { readonly ticketTypeId: string; readonly snapshot: InventorySnapshot }[];

/** An answer to a request that makes something. `replayed`: this request was answered before, and this is that answer. */
export type MadeOnce<T> =
  | { readonly ok: true; readonly value: T; readonly replayed: boolean; readonly stock: StockNews }
  | { readonly ok: false; readonly failure: Failure; readonly replayed: boolean; readonly stock: StockNews };

/** The answer to a request that made nothing. */
export type RefusedOnce = Extract<MadeOnce<never>, { ok: false }>;

/** A payment event, verified, as the desk records it. Amount in minor units. */
export interface PaymentNews {
  readonly provider: string;
  readonly eventId: string;
  readonly type:
    | "payment.succeeded"
    | "payment.failed"
    | "payment.canceled"
    | "refund.succeeded"
    | "refund.failed"
    | "dispute.opened"
    | "dispute.won"
    | "dispute.lost";
  /** The type in the provider's own words. */
  readonly rawType: string;
  readonly occurredAtMs: number;
  readonly paymentId: string;
  readonly orderId: string;
  /** The order's tenant, left out where the provider does not carry it. */
  readonly tenantId?: string;
  readonly amountCents: number;
  readonly currency: string;
  readonly reason: string | null;
  /** Of a `refund.*` event: our own id of the refund where the provider carries it, else the provider's; null where it gives none. */
  readonly refundId: string | null;
  /** Of a `dispute.*` event: the provider's id of the dispute; null where it gives none. */
  readonly disputeId: string | null;
  /** The user who tells of what was done by hand. Left out of what a provider tells. */
  readonly actor?: string;
}

/** `duplicate`: the event was recorded before. `unknown_order`: this desk has no order that the event can be about. */
export type SettleOutcome = "recorded" | "duplicate" | "unknown_order";

/** The methods of the Durable Object `OrderDesk`. A desk answers undefined for what is not its tenant's or not its user's. */
export interface DeskPort {
  /** Holds stock of every line, all or nothing. */
  hold(command: HoldCommand): Promise<MadeOnce<HoldView>>;
  /** The answer that a hold request got before or is getting now; undefined for a new one. For callers that refuse before they ask. */
  findHoldAnswer(request: RequestIdentity): Promise<MadeOnce<HoldView> | undefined>;
  findHold(tenantId: string, reservationId: string): Promise<HoldView | undefined>;
  /** Gives a hold back at once. */
  releaseHold(
    tenantId: string,
    userId: string,
    reservationId: string,
  ): Promise<{ ok: true; hold: HoldView } | { ok: false; failure: Failure }>;
  /** Holds stock if need be and makes the order durable. A free order is settled at once. */
  place(command: PlaceCommand): Promise<MadeOnce<OrderView>>;
  /** The answer that a purchase got before or is getting now; undefined for a new one. For callers that refuse before they ask. */
  findPlaceAnswer(request: RequestIdentity): Promise<MadeOnce<OrderView> | undefined>;
  /** Remembers the payment made at the provider for a pending order; the first one wins. */
  attachPayment(tenantId: string, orderId: string, payment: OrderPayment): Promise<OrderView | undefined>;
  findOrder(tenantId: string, orderId: string): Promise<OrderView | undefined>;
  /** Whose order or ticket this is, for callers that belong to no tenant; undefined for one that only D1 may have. */
  findTenantOf(id: string): Promise<string | undefined>;
  /** The user's orders that D1 may not have yet or not in their last state, newest first, at most 100. */
  listRecentOrders(tenantId: string, userId: string): Promise<readonly OrderView[]>;
  findTicket(tenantId: string, ticketId: string): Promise<IssuedTicket | undefined>;
  listTicketsOfOrder(tenantId: string, orderId: string): Promise<readonly IssuedTicket[]>;
  /** The user's tickets that D1 may not have yet, newest first, at most 100. */
  listRecentTickets(tenantId: string, userId: string): Promise<readonly IssuedTicket[]>;
  /** Forgets whose the ticket is, durably, because it changes hands: no read of this desk shows it again. Repeats change nothing. */
  passOnTicket(tenantId: string, ticketId: string): Promise<void>;
  /** Cancels the caller's own pending order; its stock is back before the answer. A repeat gets the first answer. */
  cancel(command: CancelCommand): Promise<MadeOnce<OrderView>>;
  /**
   * Pays tickets of any order of the tenant back; they are dead at the gate before the answer, also before a repeat's. Refuses
   * `not_found`, `order_not_refundable`, `ticket_not_valid`, `refund_exceeds_payment`, and, without remembering it,
   * `request_in_flight` while something else is done with the order and `overloaded` while the gate cannot be reached.
   */
  refund(command: RefundCommand): Promise<MadeOnce<OrderView>>;
  /** Records a verified payment event, then acts on it; what fails is taken up again from the record by the desk's alarm. */
  settle(news: PaymentNews): Promise<SettleOutcome>;
}
