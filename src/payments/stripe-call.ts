import type { Stripe } from "stripe";
import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakers } from "#platform/circuit-breakers";
import { askProvider, providerDown, ProviderTrouble } from "./ask-provider.ts";
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

/**
 * Calls Stripe: one attempt, one more after a network error, a 5xx, a 429 or a 409, which says that a call under the same
 * key is still being worked on.
 * @returns the parsed answer, or why there is none. Any other 4xx is `refused`: it is not repeated and does not count against
 * Stripe, because it says that our request was wrong.
 */
export async function callStripe<T>(breakers: CircuitBreakers, call: StripeCall<T>): Promise<Result<T, StripeCallFailure>> {
  const asked = await askProvider(breakers, "payment-provider-stripe", () => sendOnce(call));
  return asked.ok ? asked.value : refuse({ down: asked.failure });
}

async function sendOnce<T>(call: StripeCall<T>): Promise<Result<T, StripeCallFailure>> {
  let sent: unknown;
  try {
    sent = await call.send();
  } catch (error) {
    return judge(call.describe(error));
  }
  const answer = call.answerSchema.safeParse(sent);
  if (!answer.success) throw new ProviderTrouble("unreadable_answer");
  return succeed(answer.data);
}

function judge(error: StripeErrorKind): Result<never, StripeCallFailure> {
  if (error.kind !== "answered") {
    throw new ProviderTrouble(error.kind === "timeout" || error.kind === "unreachable" ? error.kind : "unreadable_answer");
  }
  const { httpStatus, code, param } = error;
  if (httpStatus >= 500 || httpStatus === 429) throw new ProviderTrouble("server_error", httpStatus);
  if (httpStatus === 409) throw new ProviderTrouble("conflict", httpStatus);
  return refuse({
    down: providerDown("refused", httpStatus),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}
