/**
 * Every status the contract names, in one place: the D1 CHECK constraints, the zod schemas and the decisions all read these.
 * Their order means nothing: which status of an order is further, {@link ORDER_STATUS_RANK} says.
 */

/** Statuses of a reservation; PENDING while its lines are being held. */
export const RESERVATION_STATUSES = ["PENDING", "ACTIVE", "COMPLETED", "CANCELLED", "EXPIRED"] as const;
export type ReservationStatus = (typeof RESERVATION_STATUSES)[number];

/** Statuses of an order, from unpaid to done. */
export const ORDER_STATUSES = [
  "PENDING",
  "PAYMENT_FAILED",
  "EXPIRED",
  "CANCELLED",
  "PAID",
  "AWAITING_MINT",
  "MINT_FAILED",
  "COMPLETED",
  "REFUNDED",
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/**
 * An order's state moves only to a higher rank, whoever reports it and in whatever order the reports arrive
 * (desk and mint consumer both write `orders.status`), so their writes commute.
 * EXPIRED may still become PAID: money that came late takes the stock again if there is any.
 */
export const ORDER_STATUS_RANK: Readonly<Record<OrderStatus, number>> = {
  PENDING: 0,
  PAYMENT_FAILED: 1,
  EXPIRED: 2,
  CANCELLED: 3,
  PAID: 4,
  AWAITING_MINT: 5,
  MINT_FAILED: 6,
  COMPLETED: 7,
  REFUNDED: 8,
};

/** Statuses of a ticket; AVAILABLE and RESERVED are stock that has no ticket yet. */
export const TICKET_STATUSES = ["AVAILABLE", "RESERVED", "SOLD", "TRANSFERRED", "USED", "CANCELLED", "EXPIRED"] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];

/** ARCHIVED is off sale for good. */
export const TICKET_TYPE_STATUSES = ["ACTIVE", "ARCHIVED"] as const;
export type TicketTypeStatus = (typeof TICKET_TYPE_STATUSES)[number];

/** What a provider has said of a payment. */
export const PAYMENT_STATUSES = ["REQUIRES_ACTION", "SUCCEEDED", "FAILED", "CANCELED", "REFUNDED", "DISPUTED"] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** From asked for here to done at the provider. */
export const REFUND_STATUSES = ["created", "submitted", "succeeded", "failed"] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** States of a mint job. */
export const MINT_STATUSES = ["QUEUED", "SUBMITTED", "MINTED", "FAILED"] as const;
export type MintStatus = (typeof MINT_STATUSES)[number];

/** States of a tenant's Merkle tree: being made on chain, waiting for its turn, the one minted into, done with. */
export const TREE_STATUSES = ["OPENING", "OPEN", "ACTIVE", "FULL"] as const;
export type TreeStatus = (typeof TREE_STATUSES)[number];

/** Statuses of an offer to pass a ticket on. */
export const TRANSFER_STATUSES = ["PENDING", "ACCEPTED", "DECLINED", "CANCELLED", "EXPIRED"] as const;
export type TransferStatus = (typeof TRANSFER_STATUSES)[number];

/** Why an offer was CANCELLED by neither of its parties: its ticket was let in first, or was recalled. */
export const TRANSFER_CAUSES = ["ticket_used", "ticket_recalled"] as const;
export type TransferCause = (typeof TRANSFER_CAUSES)[number];

/** States of an asset that must follow its ticket on chain. */
export const ASSET_MOVE_STATUSES = ["QUEUED", "SUBMITTED", "MOVED", "FAILED"] as const;
export type AssetMoveStatus = (typeof ASSET_MOVE_STATUSES)[number];

/** States of an asset that must be burnt because its ticket is cancelled. UNMINTED: the ticket never had one, and never will. */
export const ASSET_BURN_STATUSES = ["QUEUED", "SUBMITTED", "BURNT", "UNMINTED", "FAILED"] as const;
export type AssetBurnStatus = (typeof ASSET_BURN_STATUSES)[number];

/** What became of a payment event. */
export const PAYMENT_EVENT_OUTCOMES = ["recorded", "applied", "ignored", "rejected"] as const;
export type PaymentEventOutcome = (typeof PAYMENT_EVENT_OUTCOMES)[number];

/** States of an endpoint for outgoing events. DELETED ones are forgotten once their deliveries are. */
export const WEBHOOK_ENDPOINT_STATUSES = ["ACTIVE", "DISABLED", "DELETED"] as const;
export type WebhookEndpointStatus = (typeof WEBHOOK_ENDPOINT_STATUSES)[number];

/** States of an event on its way to an endpoint; FAILED when its last attempt was in vain, until it is replayed. */
export const WEBHOOK_DELIVERY_STATUSES = ["PENDING", "SUCCEEDED", "FAILED"] as const;
export type WebhookDeliveryStatus = (typeof WEBHOOK_DELIVERY_STATUSES)[number];

/** Why an attempt was in vain. An answer's body is never kept: it may say anything. */
export const ATTEMPT_ERRORS = ["timeout", "unreachable", "redirected", "bad_status"] as const;
export type AttemptError = (typeof ATTEMPT_ERRORS)[number];
