import type { z } from "zod";
import { refuse, succeed, type Result } from "#domain/result";
import type { CircuitBreakerName, CircuitBreakers } from "#platform/circuit-breakers";
import { askProvider, providerDown, ProviderTrouble } from "./ask-provider.ts";
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

/**
 * Calls a payment provider and reads its JSON answer: one attempt, one more after a network error, a 5xx or a 429.
 * @returns the parsed answer, or `payment_provider_down`. Every other status than 2xx is `refused`: it is not repeated and does
 * not count against the provider, because it says that our request was wrong.
 */
export async function callProvider<T>(
  breakers: CircuitBreakers,
  call: ProviderCall<T>,
): Promise<Result<T, PaymentProviderDown>> {
  const asked = await askProvider(breakers, call.breakerName, () => attemptCall(call));
  return asked.ok ? asked.value : asked;
}

async function attemptCall<T>(call: ProviderCall<T>): Promise<Result<T, PaymentProviderDown>> {
  const { status, text } = await exchange(call);
  if (status >= 500 || status === 429) throw new ProviderTrouble("server_error", status);
  if (status < 200 || status >= 300) return refuse(providerDown("refused", status));
  const answer = call.answerSchema.safeParse(parseJson(text));
  if (!answer.success) throw new ProviderTrouble("unreadable_answer", status);
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
    throw new ProviderTrouble(isTimeout ? "timeout" : "unreachable", undefined, error);
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
