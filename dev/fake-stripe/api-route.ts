import type { FormFields } from "./form-body.ts";
import { StripeApiError } from "./stripe-error.ts";

/** A request that may be answered: who asks, and its parameters. */
export interface ApiRequest {
  /** True for the secret key; false for a publishable one, which may only act with an object's client secret. */
  readonly isSecret: boolean;
  /** Of the form-encoded body, or of the query for a GET. */
  readonly fields: FormFields;
  readonly id: string;
}

/** Answers with an object, or throws a {@link StripeApiError}. */
export type ApiHandler = (request: ApiRequest) => unknown;

/** Adds a route of the API. */
export type AddRoute = (method: "GET" | "POST", path: string, handle: ApiHandler) => void;

/** Refuses a publishable key where only the secret one may act. */
export function requireSecret(isSecret: boolean): void {
  if (isSecret) return;
  const message = "This API call cannot be made with a publishable API key. Please use a secret API key.";
  throw new StripeApiError(401, { type: "invalid_request_error", code: "secret_key_required", message }, true);
}
