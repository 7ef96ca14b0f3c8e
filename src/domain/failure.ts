/** What is wrong with one field of a request. `path` is a JSON Pointer-like dotted path; `code` is stable, snake_case. */
export interface FieldError {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** A ticket type that could not give what was asked. */
export interface TypeShortage {
  readonly ticketTypeId: string;
  readonly availableCount: number;
}

/** Why a valid ticket cannot be offered or change hands. */
export type TransferObstacle = "ticket_type" | "event_over" | "too_often" | "open_offer";

/** Why nothing of an order can be paid back. */
export type RefundObstacle = "not_paid" | "disputed" | "nothing_left";

/**
 * Every expected refusal of the service, tagged by `code` and carrying its own facts. The HTTP layer turns each into an
 * RFC 9457 problem through one table, so a code added here does not compile until it is mapped there.
 */
export type Failure =
  | { readonly code: "validation_failed"; readonly errors: readonly FieldError[] }
  | { readonly code: "malformed_json" }
  | { readonly code: "body_too_large" }
  | { readonly code: "unsupported_media_type" }
  | { readonly code: "not_found"; readonly what: string }
  | { readonly code: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly code: "unauthenticated"; readonly detail: string }
  | { readonly code: "token_keys_unavailable"; readonly retryAfterSeconds: number }
  | { readonly code: "forbidden" }
  | { readonly code: "misconfigured" }
  | { readonly code: "internal_error" }
  | { readonly code: "overloaded"; readonly retryAfterSeconds: number }
  | { readonly code: "rate_limited"; readonly retryAfterSeconds: number }
  | { readonly code: "client_blocked"; readonly retryAfterSeconds: number }
  | { readonly code: "idempotency_key_required" }
  | { readonly code: "idempotency_key_reused" }
  | { readonly code: "request_in_flight" }
  | { readonly code: "capacity_below_committed"; readonly committedCount: number }
  | { readonly code: "sold_out"; readonly shortages: readonly TypeShortage[] }
  | { readonly code: "not_on_sale"; readonly ticketTypeId: string }
  | {
      readonly code: "quantity_out_of_range";
      readonly ticketTypeId: string;
      readonly minPerOrder: number;
      readonly maxPerOrder: number;
    }
  | { readonly code: "user_limit_reached"; readonly ticketTypeId: string; readonly maxPerUser: number }
  | { readonly code: "user_blacklisted" }
  | { readonly code: "reservation_expired" }
  | { readonly code: "reservation_not_active" }
  | { readonly code: "order_not_pending" }
  | { readonly code: "order_not_refundable"; readonly reason: RefundObstacle }
  | { readonly code: "refund_exceeds_payment" }
  | { readonly code: "refund_not_by_hand" }
  | { readonly code: "ticket_not_valid"; readonly ticketIds?: readonly string[] }
  | { readonly code: "ticket_not_transferable"; readonly reason: TransferObstacle }
  | { readonly code: "transfer_not_pending" }
  | { readonly code: "webhook_endpoint_disabled" }
  | { readonly code: "ticket_not_minted" }
  | { readonly code: "ticket_in_wallet_already" }
  | { readonly code: "ticket_held_elsewhere" }
  | { readonly code: "claim_challenge_unknown" }
  | { readonly code: "claim_challenge_used" }
  | { readonly code: "claim_challenge_expired" }
  | { readonly code: "claim_message_mismatch" }
  | { readonly code: "claim_signature_invalid" }
  | { readonly code: "proof_not_ready"; readonly retryAfterSeconds: number }
  | {
      readonly code:
        | "discount_unknown"
        | "discount_not_started"
        | "discount_expired"
        | "discount_exhausted"
        | "discount_not_applicable"
        | "discount_not_stackable";
      readonly discountCode: string;
    }
  | { readonly code: "discount_code_taken" }
  | { readonly code: "payment_provider_unavailable" }
  | { readonly code: "payment_provider_down"; readonly retryAfterSeconds: number }
  | { readonly code: "webhook_signature_invalid" }
  | { readonly code: "webhook_malformed" }
  | { readonly code: "amount_mismatch" }
  | { readonly code: "chain_account_unsuitable"; readonly errors: readonly FieldError[] }
  | { readonly code: "chain_unavailable"; readonly retryAfterSeconds: number };

/** The stable, snake_case code of a {@link Failure}. */
export type FailureCode = Failure["code"];
