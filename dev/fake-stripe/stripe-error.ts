/** Stripe's error object, as its `error` field carries it. */
export interface StripeErrorBody {
  readonly type: "invalid_request_error" | "card_error" | "idempotency_error" | "api_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly payment_intent?: unknown;
}

/** An answer that is no success. */
export class StripeApiError extends Error {
  readonly status: 400 | 401 | 402 | 404 | 409;
  readonly body: StripeErrorBody;
  /** Refused before it was worked on: Stripe does not keep such an answer under the idempotency key. */
  readonly isBeforeWork: boolean;

  constructor(status: StripeApiError["status"], body: StripeErrorBody, isBeforeWork = false) {
    super(body.message);
    this.status = status;
    this.body = body;
    this.isBeforeWork = isBeforeWork;
  }
}

/** A parameter that is missing or malformed. */
export function invalidParam(param: string, message: string, code = "parameter_invalid"): StripeApiError {
  return new StripeApiError(400, { type: "invalid_request_error", code, param, message }, true);
}

/** A request that is well formed and cannot be done. */
export function impossible(code: string | undefined, message: string, param?: string): StripeApiError {
  return new StripeApiError(400, {
    type: "invalid_request_error",
    message,
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

/** An object that does not exist. */
export function missing(what: string, id: string, param = "id"): StripeApiError {
  const message = `No such ${what}: '${id}'`;
  return new StripeApiError(404, { type: "invalid_request_error", code: "resource_missing", param, message });
}
