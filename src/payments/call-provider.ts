import { ConstantBackoff, handleWhen, retry } from "cockatiel";
import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakerName, CircuitBreakers } from "#platform/circuit-breakers";
import type { PaymentProviderDown } from "./payment-provider.ts";

/** A POST that may be repeated: the receiver acts once per `idempotencyKey`. */
export interface IdempotentPost<T> {
  readonly url: string;
  readonly body: unknown;
  readonly idempotencyKey: string;
  /** Time one attempt may take, answer included. */
  readonly timeoutMs: number;
  readonly answerSchema: z.ZodType<T>;
  readonly breakerName: CircuitBreakerName;
}

/** What a buyer is told to wait when the provider failed but is still being called. */
const RETRY_AFTER_SECONDS = 5;
const RETRY_DELAY_MS = 100;

/** A failure that counts against the provider's health. Thrown because that is how cockatiel learns of it. */
class ProviderCallError extends Error {
  readonly reason: PaymentProviderDown["reason"];
  readonly httpStatus: number | undefined;

  constructor(reason: PaymentProviderDown["reason"], httpStatus?: number, cause?: unknown) {
    super(`payment provider: ${reason}`, { cause });
    this.reason = reason;
    this.httpStatus = httpStatus;
  }
}

/** Not after a time-out: the buyer has waited long enough, and a slow provider is not helped by twice the calls. */
const retryOnce = retry(
  handleWhen(
    (error) => error instanceof ProviderCallError && (error.reason === "unreachable" || error.reason === "server_error"),
  ),
  { maxAttempts: 1, backoff: new ConstantBackoff(RETRY_DELAY_MS) },
);

/**
 * Posts JSON to a payment provider and reads the answer: one attempt, one more after a network error or a 5xx.
 * @returns the parsed answer, or `payment_provider_down`. A 4xx is `refused`: it is not repeated and does not count
 * against the provider, because it says that our request was wrong.
 */
export async function postIdempotent<T>(
  breakers: CircuitBreakers,
  post: IdempotentPost<T>,
): Promise<Result<T, PaymentProviderDown>> {
  try {
    const outcome = await breakers.run(post.breakerName, () => retryOnce.execute(() => attemptPost(post)));
    if (outcome.ok) return outcome.value;
    return refuseCall("circuit_open", undefined, outcome.failure.retryAfterSeconds);
  } catch (error) {
    if (!(error instanceof ProviderCallError)) throw error;
    return refuseCall(error.reason, error.httpStatus);
  }
}

async function attemptPost<T>(post: IdempotentPost<T>): Promise<Result<T, PaymentProviderDown>> {
  const { status, text } = await exchange(post);
  if (status >= 500 || status === 429) throw new ProviderCallError("server_error", status);
  if (status < 200 || status >= 300) return refuseCall("refused", status);
  const answer = post.answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw new ProviderCallError("unreadable_answer", status);
  return succeed(answer.data);
}

async function exchange(post: IdempotentPost<unknown>): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(post.url, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": post.idempotencyKey },
      body: JSON.stringify(post.body),
      redirect: "manual",
      signal: AbortSignal.timeout(post.timeoutMs),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const isTimeout = error instanceof Error && error.name === "TimeoutError";
    throw new ProviderCallError(isTimeout ? "timeout" : "unreachable", undefined, error);
  }
}

/** The parsed text, or undefined, which no answer schema accepts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuseCall(
  reason: PaymentProviderDown["reason"],
  httpStatus?: number,
  retryAfterSeconds = RETRY_AFTER_SECONDS,
): Result<never, PaymentProviderDown> {
  return refuse({
    code: "payment_provider_down",
    retryAfterSeconds,
    reason,
    ...(httpStatus === undefined ? {} : { httpStatus }),
  });
}
