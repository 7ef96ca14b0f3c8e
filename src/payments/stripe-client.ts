import { Stripe } from "stripe";
import { STRIPE_API_VERSION } from "./stripe-schemas.ts";
import { TOLERANCE_SECONDS } from "./webhook-signature.ts";

/** How Stripe's API is reached. */
export interface StripeClientOptions {
  readonly secretKey: string;
  /** `STRIPE_API_BASE`: scheme, host and port, without a path. */
  readonly apiBase: string;
  /** Time one attempt may take, answer included. */
  readonly timeoutMs: number;
}

/** What the package threw, without the headers, bodies and signatures that its errors carry. */
export type StripeErrorKind =
  | { readonly kind: "timeout" | "unreachable" | "unreadable" | "forged" }
  | { readonly kind: "answered"; readonly httpStatus: number; readonly code?: string; readonly param?: string };

/**
 * The official client, on `fetch`. It repeats nothing: when to try again, and after what not to, is decided in `callStripe`,
 * as for every provider. Everything that uses the package at run time is in this file, so that one dynamic import loads it.
 */
export function createStripeClient({ secretKey, apiBase, timeoutMs }: StripeClientOptions): Stripe {
  const { protocol, hostname, port } = new URL(apiBase);
  const isSecure = protocol === "https:";
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    httpClient: Stripe.createFetchHttpClient(fetchReadable),
    host: hostname,
    port: port === "" ? (isSecure ? 443 : 80) : Number(port),
    protocol: isSecure ? "https" : "http",
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/**
 * `fetch` that follows no redirect and keeps the status of an answer that is not JSON (a gateway's page): the package would
 * report it as an unreadable answer without a status, and a 503 could not be told from nonsense.
 */
const fetchReadable: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: "manual" });
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  if (response.ok || isJson) return response;
  await response.body?.cancel();
  return Response.json({ error: { type: "api_error", message: "not JSON" } }, { status: response.status });
};

/**
 * Verifies the header against one secret and gives the event's JSON.
 * @param nowMs Unix milliseconds. The package refuses only what is old; what is signed ahead is its caller's to refuse.
 * @throws what {@link describeStripeError} tells apart: `forged`, or `unreadable` for a genuine body that is no event.
 */
export function constructStripeEvent(text: string, header: string, secret: string, nowMs: number): Promise<unknown> {
  const cryptoProvider = Stripe.createSubtleCryptoProvider();
  return Stripe.webhooks.constructEventAsync(text, header, secret, TOLERANCE_SECONDS, cryptoProvider, nowMs);
}

/** Says what went wrong in words that may be logged. */
export function describeStripeError(error: unknown): StripeErrorKind {
  const { StripeSignatureVerificationError, StripeConnectionError, StripeError } = Stripe.errors;
  if (error instanceof StripeSignatureVerificationError) return { kind: "forged" };
  if (error instanceof StripeConnectionError) return { kind: codeOf(error.detail) === "ETIMEDOUT" ? "timeout" : "unreachable" };
  if (!(error instanceof StripeError) || error.statusCode === undefined) return { kind: "unreadable" };
  const { statusCode: httpStatus, code, param } = error;
  return { kind: "answered", httpStatus, ...(code === undefined ? {} : { code }), ...(param === undefined ? {} : { param }) };
}

function codeOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined;
}
