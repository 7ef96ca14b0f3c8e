import {
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  isBrokenCircuitError,
  type CircuitBreakerPolicy,
} from "cockatiel";
import { assertInvariant, refuse, succeed, type Result } from "#domain/result";

/**
 * What a breaker guards, one name a dependency that answers over the network; the chain's nodes in the order in which they are asked, and
 * each one's index of assets apart from the node itself.
 */
export const CIRCUIT_BREAKER_NAMES = [
  "payment-provider-standard",
  "payment-provider-stripe",
  "solana-rpc",
  "solana-rpc-2",
  "solana-rpc-3",
  "solana-das",
  "solana-das-2",
  "solana-das-3",
] as const;
export type CircuitBreakerName = (typeof CIRCUIT_BREAKER_NAMES)[number];

/** A call was not made, because the last ones failed. */
export interface CircuitOpen {
  readonly code: "circuit_open";
  readonly name: CircuitBreakerName;
  readonly retryAfterSeconds: number;
}

/** One breaker as `GET /health/circuit-breakers` shows it. Counters start again with the isolate and with a reset. */
export interface CircuitBreakerSnapshot {
  readonly name: CircuitBreakerName;
  /** `open` refuses calls; `half_open` has let one through to see. */
  readonly state: "closed" | "open" | "half_open";
  readonly succeededCount: number;
  readonly failedCount: number;
  /** Calls not made because the breaker was not closed. */
  readonly refusedCount: number;
  /** Times it went from closed to open. */
  readonly openedCount: number;
}

/** When breakers open and for how long. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open a breaker. */
  readonly failuresToOpen?: number;
  /** How long an open breaker waits before it lets one call through. */
  readonly openForMs?: number;
}

interface Breaker {
  readonly policy: CircuitBreakerPolicy;
  succeededCount: number;
  failedCount: number;
  refusedCount: number;
  openedCount: number;
  probeStartedAtMs: number;
}

/** A probe older than this is taken for lost: the request that made it was cancelled and will never report. */
const LOST_PROBE_MS = 30_000;

/**
 * Stops calling a dependency that keeps failing, so that its time-outs do not become ours.
 *
 * Make one instance at module scope: the state belongs to the isolate, and nothing is shared between isolates. That costs a
 * few failed calls in each, and saves a round trip before every call.
 */
export class CircuitBreakers {
  readonly #failuresToOpen: number;
  readonly #openForMs: number;
  readonly #breakers = new Map<CircuitBreakerName, Breaker>();

  constructor(options: CircuitBreakerOptions = {}) {
    this.#failuresToOpen = options.failuresToOpen ?? 5;
    this.#openForMs = options.openForMs ?? 10_000;
    this.reset();
  }

  /**
   * Makes the call unless the breaker is open. A throw of `call` counts as a failure and is passed on; an expected refusal
   * that says nothing about the dependency's health is returned by `call`, never thrown.
   * @returns what `call` gave, or `circuit_open` without having called it.
   */
  async run<T>(name: CircuitBreakerName, call: () => Promise<T>): Promise<Result<T, CircuitOpen>> {
    const breaker = this.#findUsable(name);
    if (breaker === undefined) return this.#refuseCall(name);
    try {
      const value = await breaker.policy.execute(() => {
        breaker.probeStartedAtMs = Date.now();
        return call();
      });
      breaker.succeededCount += 1;
      return succeed(value);
    } catch (error) {
      if (isBrokenCircuitError(error)) return this.#refuseCall(name);
      breaker.failedCount += 1;
      throw error;
    }
  }

  /** Every breaker's state and counters, in the order of {@link CIRCUIT_BREAKER_NAMES}. */
  list(): CircuitBreakerSnapshot[] {
    return CIRCUIT_BREAKER_NAMES.map((name) => {
      const { policy, succeededCount, failedCount, refusedCount, openedCount } = this.#find(name);
      return { name, state: presentState(policy.state), succeededCount, failedCount, refusedCount, openedCount };
    });
  }

  /**
   * Closes one breaker, or all without a name. Calls under way report to the old breaker and do not open the new one.
   * @returns the names that were reset; empty when there is no breaker of that name.
   */
  reset(name?: string): CircuitBreakerName[] {
    const names = CIRCUIT_BREAKER_NAMES.filter((candidate) => name === undefined || candidate === name);
    for (const each of names) this.#breakers.set(each, this.#createBreaker());
    return names;
  }

  /**
   * The breaker, unless a probe is under way. Cockatiel would make this call wait for the probe's outcome, which belongs to
   * another request: in Workers that one may be cancelled, and then nobody would ever be woken.
   */
  #findUsable(name: CircuitBreakerName): Breaker | undefined {
    const breaker = this.#find(name);
    if (breaker.policy.state !== CircuitState.HalfOpen) return breaker;
    if (Date.now() - breaker.probeStartedAtMs < LOST_PROBE_MS) return undefined;
    this.reset(name);
    return this.#find(name);
  }

  #find(name: CircuitBreakerName): Breaker {
    const breaker = this.#breakers.get(name);
    assertInvariant(breaker !== undefined, "every breaker is made with the instance");
    return breaker;
  }

  #refuseCall(name: CircuitBreakerName): Result<never, CircuitOpen> {
    this.#find(name).refusedCount += 1;
    return refuse({ code: "circuit_open", name, retryAfterSeconds: Math.max(1, Math.ceil(this.#openForMs / 1000)) });
  }

  #createBreaker(): Breaker {
    const policy = circuitBreaker(handleAll, {
      halfOpenAfter: this.#openForMs,
      breaker: new ConsecutiveBreaker(this.#failuresToOpen),
    });
    const breaker: Breaker = {
      policy,
      succeededCount: 0,
      failedCount: 0,
      refusedCount: 0,
      openedCount: 0,
      probeStartedAtMs: 0,
    };
    policy.onBreak(() => {
      breaker.openedCount += 1;
    });
    return breaker;
  }
}

function presentState(state: CircuitState): CircuitBreakerSnapshot["state"] {
  if (state === CircuitState.HalfOpen) return "half_open";
  return state === CircuitState.Closed ? "closed" : "open";
}
