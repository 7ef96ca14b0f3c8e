import type { Failure, FailureCode, FieldError, RefundObstacle, TransferObstacle } from "#domain/failure";
import { REPLAYED } from "./schemas.ts";
import { respond } from "./security-headers.ts";

/** How a code is told to a caller: RFC 9457 `status` and `title`. */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

/** Every code of the service. A code that is missing here does not compile. */
export const PROBLEMS = {
  validation_failed: { status: 400, title: "The request is not valid" },
  malformed_json: { status: 400, title: "The body is not JSON" },
  body_too_large: { status: 413, title: "The body is larger than 64 KiB" },
  unsupported_media_type: { status: 415, title: "The body must be application/json, uncompressed" },
  not_found: { status: 404, title: "There is no such thing" },
  method_not_allowed: { status: 405, title: "This path does not take that method" },
  unauthenticated: { status: 401, title: "A valid bearer token is needed" },
  token_keys_unavailable: { status: 503, title: "The keys that tokens are checked with can't be read, try again shortly" },
  forbidden: { status: 403, title: "The token's role may not do this" },
  misconfigured: { status: 503, title: "The service is not configured" },
  internal_error: { status: 500, title: "Something broke on our side" },
  overloaded: { status: 503, title: "The service is too busy, try again shortly" },
  rate_limited: { status: 429, title: "Too many requests" },
  client_blocked: { status: 403, title: "Blocked for a while after too many requests" },
  idempotency_key_required: { status: 400, title: "An Idempotency-Key of 1 to 255 printable characters is needed" },
  idempotency_key_reused: { status: 422, title: "The Idempotency-Key or webhook-id was used for another request" },
  request_in_flight: { status: 409, title: "The same request, or another about the same order, is being answered" },
  capacity_below_committed: { status: 409, title: "More is held or sold than that" },
  sold_out: { status: 409, title: "Not enough tickets are left" },
  not_on_sale: { status: 409, title: "The ticket type is not on sale now" },
  quantity_out_of_range: { status: 422, title: "The quantity is outside what one order may have" },
  user_limit_reached: { status: 409, title: "The buyer has as many of these tickets as allowed" },
  user_blacklisted: { status: 403, title: "The buyer may not buy or receive tickets" },
  reservation_expired: { status: 409, title: "The reservation has expired" },
  reservation_not_active: { status: 409, title: "The reservation is not active any more" },
  order_not_pending: { status: 409, title: "The order is not waiting for payment" },
  order_not_refundable: { status: 409, title: "Nothing of the order can be paid back" },
  refund_not_by_hand: { status: 409, title: "A payment provider pays this refund" },
  refund_exceeds_payment: { status: 409, title: "That is more than is left of the payment" },
  ticket_not_valid: { status: 409, title: "The ticket is not valid" },
  ticket_not_transferable: { status: 409, title: "The ticket cannot change hands" },
  transfer_not_pending: { status: 409, title: "The transfer is not open any more" },
  webhook_endpoint_disabled: { status: 409, title: "The webhook endpoint is disabled" },
  ticket_not_minted: { status: 409, title: "The ticket has no asset on chain" },
  ticket_in_wallet_already: { status: 409, title: "The ticket is in that wallet already, or on its way there" },
  ticket_held_elsewhere: { status: 409, title: "The ticket's asset was moved to another wallet, whose holder may claim it" },
  claim_challenge_unknown: { status: 409, title: "The message answers no open challenge of this ticket and user" },
  claim_challenge_used: { status: 409, title: "The challenge was answered before" },
  claim_challenge_expired: { status: 409, title: "The challenge has expired" },
  claim_message_mismatch: { status: 422, title: "The message is not the one that was to be signed" },
  claim_signature_invalid: { status: 422, title: "The wallet's key did not make this signature over the message" },
  proof_not_ready: { status: 503, title: "The chain's state is being read, try again shortly" },
  discount_unknown: { status: 409, title: "There is no such discount code" },
  discount_not_started: { status: 409, title: "The discount code is not valid yet" },
  discount_expired: { status: 409, title: "The discount code is not valid any more" },
  discount_exhausted: { status: 409, title: "The discount code is used up" },
  discount_not_applicable: { status: 409, title: "The discount code does not apply to these tickets" },
  discount_not_stackable: { status: 409, title: "The discount code can't be used with another" },
  discount_code_taken: { status: 409, title: "Another discount has this code" },
  payment_provider_unavailable: { status: 422, title: "That payment provider is not available" },
  payment_provider_down: { status: 503, title: "The payment provider does not answer, try again shortly" },
  webhook_signature_invalid: { status: 401, title: "The signature is missing, wrong or out of time" },
  webhook_malformed: { status: 400, title: "The body is no event this service knows" },
  amount_mismatch: { status: 409, title: "The payment is not for the order's total" },
  chain_account_unsuitable: { status: 422, title: "The service cannot mint with that account" },
  chain_unavailable: { status: 503, title: "The chain's node does not answer, try again shortly" },
} as const satisfies Record<FailureCode, ProblemKind>;

/** The wire form of a problem (RFC 9457) with the service's own members. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: FailureCode;
  /** What is wrong in particular; empty when the code says it all. */
  readonly errors: readonly (FieldError & { readonly ticketTypeId?: string; readonly availableCount?: number })[];
}

/** A failure on its way to the caller; `replayed` when this answer was given to the same request before. */
export type Refusal = Failure & { readonly replayed?: boolean };

/** A failure as an `application/problem+json` response. `requestId` becomes its `instance`. */
export function presentFailure(failure: Refusal, requestId: string): Response {
  const { status, title } = PROBLEMS[failure.code];
  const problem: Problem = {
    type: `/problems/${failure.code}`,
    title,
    status,
    detail: detailOf(failure) ?? title,
    instance: requestId,
    code: failure.code,
    errors: errorsOf(failure),
  };
  return respond(JSON.stringify(problem), status, headersOf(failure));
}

/** The refusal of a request that makes something, marked when it is the first answer again. */
export function toRefusal({ failure, replayed }: { readonly failure: Failure; readonly replayed: boolean }): Refusal {
  return replayed ? { ...failure, replayed } : failure;
}

/** What a caller should know beyond the title; by `if`, because most codes say it all in their title. */
function detailOf(failure: Failure): string | undefined {
  const { code } = failure;
  if (code === "unauthenticated") return failure.detail;
  if (code === "not_found") {
    return failure.what === "path"
      ? "There is no such path; /openapi.json lists them all."
      : `There is no such ${failure.what}.`;
  }
  if (code === "capacity_below_committed") return `${failure.committedCount} are held or sold.`;
  if (code === "quantity_out_of_range") {
    return `One order may have ${failure.minPerOrder} to ${failure.maxPerOrder} of this ticket type.`;
  }
  if (code === "user_limit_reached") return `One buyer may have ${failure.maxPerUser} of this ticket type.`;
  if (code === "ticket_not_transferable") return OBSTACLES[failure.reason];
  if (code === "order_not_refundable") return REFUND_OBSTACLES[failure.reason];
  if (code === "method_not_allowed") return `Allowed: ${failure.allow.join(", ")}.`;
  return undefined;
}

const OBSTACLES: Readonly<Record<TransferObstacle, string>> = {
  ticket_type: "Tickets of this type stay with who bought them.",
  event_over: "The event is over.",
  too_often: "The ticket has changed hands as often as it can.",
  open_offer: "The ticket is offered to somebody already.",
};

const REFUND_OBSTACLES: Readonly<Record<RefundObstacle, string>> = {
  not_paid: "The order has not been paid.",
  disputed: "Its payment is disputed at the buyer's bank.",
  nothing_left: "Nothing of it is left to be paid back.",
};

function errorsOf(failure: Failure): Problem["errors"] {
  const { code } = failure;
  if (code === "validation_failed" || code === "chain_account_unsuitable") return failure.errors;
  if (code === "sold_out") {
    return failure.shortages.map(({ ticketTypeId, availableCount }) => {
      return { path: ticketTypeId, code, message: `${availableCount} left`, ticketTypeId, availableCount };
    });
  }
  if (code === "not_on_sale" || code === "quantity_out_of_range" || code === "user_limit_reached") {
    return [{ path: failure.ticketTypeId, code, message: PROBLEMS[code].title }];
  }
  if (code === "ticket_not_valid") {
    return (failure.ticketIds ?? []).map((ticketId) => ({ path: ticketId, code, message: PROBLEMS[code].title }));
  }
  if ("discountCode" in failure) return [{ path: failure.discountCode, code, message: PROBLEMS[code].title }];
  return [];
}

function headersOf(failure: Refusal): Readonly<Record<string, string>> {
  return {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...(failure.replayed ? REPLAYED : {}),
    ...("retryAfterSeconds" in failure ? { "retry-after": String(failure.retryAfterSeconds) } : {}),
    ...(failure.code === "unauthenticated" ? { "www-authenticate": 'Bearer realm="tickets"' } : {}),
    // RFC 9110 wants a challenge with every 401.
    ...(failure.code === "webhook_signature_invalid" ? { "www-authenticate": "StandardWebhooks" } : {}),
    ...(failure.code === "method_not_allowed" ? { allow: failure.allow.join(", ") } : {}),
  };
}
