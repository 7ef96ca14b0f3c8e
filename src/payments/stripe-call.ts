import { ConstantBackoff, handleWhen, retry } from "cockatiel";
import type { Stripe } from "stripe";
import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import type { PaymentProviderDown } from "./payment-provider.ts";
import type { StripeErrorKind } from "./stripe-client.ts";

/** A call to Stripe that may be repeated: it reads, or carries an idempotency key. */
export interface StripeCall<T> {
  send(): Promise<unknown>;
  /** Says what `send` threw. */
  describe(error: unknown): StripeErrorKind;
  readonly answerSchema: z.ZodType<T>;
}

/** Stripe did not do what was asked. `code` and `param` are its own words for a request that it refused. */
export interface StripeCallFailure {
  readonly down: PaymentProviderDown;
  readonly code?: string;
  readonly param?: string;
}

/** Sends a request with the package's client and reads the answer. */
export type CallStripe = <T>(
  answerSchema: z.ZodType<T>,
  send: (client: Stripe) => Promise<unknown>,
) => Promise<Result<T, StripeCallFailure>>;

const RETRY_AFTER_SECONDS = 5;
const RETRY_DELAY_MS = 100;

/** A failure that may pass; all but `conflict` count against Stripe's health. */
class StripeTrouble extends Error {
  readonly reason: "timeout" | "unreachable" | "server_error" | "unreadable_answer" | "conflict";
  readonly httpStatus: number | undefined;

  constructor(reason: StripeTrouble["reason"], httpStatus?: number) {
    super(`stripe: ${reason}`);
    this.reason = reason;
    this.httpStatus = httpStatus;
  }
}

/** Not after a time-out: the buyer has waited long enough, and a slow provider is not helped by twice the calls. */
const retryOnce = retry(
  handleWhen((error) => error instanceof StripeTrouble && ["unreachable", "server_error", "conflict"].includes(error.reason)),
  { maxAttempts: 1, backoff: new ConstantBackoff(RETRY_DELAY_MS) },
);

/**
 * Calls Stripe: one attempt, one more after a network error, a 5xx, a 429 or a 409, which says that a call under the same
 * key is still being worked on.
 * @returns the parsed answer, or why there is none. Any other 4xx is `refused`: it is not repeated and does not count against
 * Stripe, because it says that our request was wrong.
 */
export async function callStripe<T>(breakers: CircuitBreakers, call: StripeCall<T>): Promise<Result<T, StripeCallFailure>> {
  try {
    const outcome = await breakers.run("payment-provider-stripe", () => sendTwice(call));
    return outcome.ok ? outcome.value : refuse(down("circuit_open", undefined, outcome.failure.retryAfterSeconds));
  } catch (error) {
    if (!(error instanceof StripeTrouble) || error.reason === "conflict") throw error;
    return refuse(down(error.reason, error.httpStatus));
  }
}

async function sendTwice<T>(call: StripeCall<T>): Promise<Result<T, StripeCallFailure>> {
  try {
    return await retryOnce.execute(() => sendOnce(call));
  } catch (error) {
    if (error instanceof StripeTrouble && error.reason === "conflict") return refuse(down("refused", error.httpStatus));
    throw error;
  }
}

async function sendOnce<T>(call: StripeCall<T>): Promise<Result<T, StripeCallFailure>> {
  let sent: unknown;
  try {
    sent = await call.send();
  } catch (error) {
    return judge(call.describe(error));
  }
  const answer = call.answerSchema.safeParse(sent);
  if (!answer.success) throw new StripeTrouble("unreadable_answer");
  return succeed(answer.data);
}

function judge(error: StripeErrorKind): Result<never, StripeCallFailure> {
  if (error.kind !== "answered") {
    throw new StripeTrouble(error.kind === "timeout" || error.kind === "unreachable" ? error.kind : "unreadable_answer");
  }
  const { httpStatus, code, param } = error;
  if (httpStatus >= 500 || httpStatus === 429) throw new StripeTrouble("server_error", httpStatus);
  if (httpStatus === 409) throw new StripeTrouble("conflict", httpStatus);
  return refuse({
    ...down("refused", httpStatus),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

function down(
  reason: PaymentProviderDown["reason"],
  httpStatus?: number,
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): StripeCallFailure {
  return {
    down: {
      code: "payment_provider_down",
      retryAfterSeconds,
      reason,
      ...(httpStatus === undefined ? {} : { httpStatus }),
    },
  };
}
