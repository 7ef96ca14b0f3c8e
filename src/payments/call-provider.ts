import { ConstantBackoff, handleWhen, retry } from "cockatiel";
import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakerName, CircuitBreakers } from "#platform/circuit-breakers";
import type { PaymentProviderDown } from "./payment-provider.ts";

/** A call that may be repeated: it reads, it ends what ends once, or its receiver acts once per `idempotencyKey`. */
export interface ProviderCall<T> {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly idempotencyKey?: string;
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
 * Calls a payment provider and reads its JSON answer: one attempt, one more after a network error or a 5xx.
 * @returns the parsed answer, or `payment_provider_down`. A 4xx is `refused`: it is not repeated and does not count
 * against the provider, because it says that our request was wrong.
 */
export async function callProvider<T>(
  breakers: CircuitBreakers,
  call: ProviderCall<T>,
): Promise<Result<T, PaymentProviderDown>> {
  try {
    const outcome = await breakers.run(call.breakerName, () => retryOnce.execute(() => attemptCall(call)));
    if (outcome.ok) return outcome.value;
    return refuseCall("circuit_open", undefined, outcome.failure.retryAfterSeconds);
  } catch (error) {
    if (!(error instanceof ProviderCallError)) throw error;
    return refuseCall(error.reason, error.httpStatus);
  }
}

async function attemptCall<T>(call: ProviderCall<T>): Promise<Result<T, PaymentProviderDown>> {
  const { status, text } = await exchange(call);
  if (status >= 500 || status === 429) throw new ProviderCallError("server_error", status);
  if (status < 200 || status >= 300) return refuseCall("refused", status);
  const answer = call.answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw new ProviderCallError("unreadable_answer", status);
  return succeed(answer.data);
}

async function exchange(call: ProviderCall<unknown>): Promise<{ status: number; text: string }> {
  const { method, url, body, idempotencyKey, timeoutMs } = call;
  try {
    const response = await fetch(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
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
