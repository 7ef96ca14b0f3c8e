import { ConstantBackoff, handleWhen, retry } from "cockatiel";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakerName, CircuitBreakers } from "#platform/circuit-breakers";
import type { PaymentProviderDown } from "./payment-provider.ts";

/** What a buyer is told to wait when the provider failed but is still being called. */
const RETRY_AFTER_SECONDS = 5;
const RETRY_DELAY_MS = 100;

/**
 * A failure that may pass. All but `conflict` (a call under the same key is still being worked on) count against the provider's
 * health. Thrown because that is how cockatiel learns of it.
 */
export class ProviderTrouble extends Error {
  readonly reason: "timeout" | "unreachable" | "server_error" | "unreadable_answer" | "conflict";
  readonly httpStatus: number | undefined;

  constructor(reason: ProviderTrouble["reason"], httpStatus?: number, cause?: unknown) {
    super(`payment provider: ${reason}`, { cause });
    this.reason = reason;
    this.httpStatus = httpStatus;
  }
}

/** Not after a time-out: the buyer has waited long enough, and a slow provider is not helped by twice the calls. */
const retryOnce = retry(
  handleWhen((error) => error instanceof ProviderTrouble && ["unreachable", "server_error", "conflict"].includes(error.reason)),
  { maxAttempts: 1, backoff: new ConstantBackoff(RETRY_DELAY_MS) },
);

/**
 * Asks a payment provider: one attempt, one more after a network error, an answer that says it is in trouble, or a conflict.
 * @param attempt one call. It throws {@link ProviderTrouble} for what may pass, and gives every other answer, refusals too: those are
 * not repeated and do not count against the provider, because they say that our request was wrong.
 * @returns what the attempt gave, or why there was no answer.
 */
export async function askProvider<Answer>(
  breakers: CircuitBreakers,
  breakerName: CircuitBreakerName,
  attempt: () => Promise<Answer>,
): Promise<Result<Answer, PaymentProviderDown>> {
  try {
    const outcome = await breakers.run(breakerName, () => tryTwice(attempt));
    return outcome.ok ? outcome.value : refuse(providerDown("circuit_open", undefined, outcome.failure.retryAfterSeconds));
  } catch (error) {
    if (!(error instanceof ProviderTrouble)) throw error;
    return refuse(downBecause(error));
  }
}

async function tryTwice<Answer>(attempt: () => Promise<Answer>): Promise<Result<Answer, PaymentProviderDown>> {
  try {
    return succeed(await retryOnce.execute(() => attempt()));
  } catch (error) {
    if (error instanceof ProviderTrouble && error.reason === "conflict") return refuse(downBecause(error));
    throw error;
  }
}

function downBecause({ reason, httpStatus }: ProviderTrouble): PaymentProviderDown {
  return providerDown(reason === "conflict" ? "refused" : reason, httpStatus);
}

/** Says that a provider gave no usable answer. */
export function providerDown(
  reason: PaymentProviderDown["reason"],
  httpStatus?: number,
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): PaymentProviderDown {
  const why = { code: "payment_provider_down", retryAfterSeconds, reason } as const;
  return httpStatus === undefined ? why : { ...why, httpStatus };
}
