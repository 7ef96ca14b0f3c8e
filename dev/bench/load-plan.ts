/** Requests that the load client sends over and over, as fast as they are answered or at a steady rate. */
export interface LoadPlan {
  /** Origin of the server, such as `http://127.0.0.1:8787`. */
  readonly origin: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Header lines besides `Host` and those of the body; the n-th request takes the n-th, then from the start again. */
  readonly headers: readonly string[];
  /** JSON bodies, taken in turn like the headers. Empty: no body. */
  readonly bodies: readonly string[];
  /** Each body is sent once: when there are no more, the load ends early. */
  readonly eachBodyOnce: boolean;
  /** Start of the Idempotency-Key of each request, which its number ends; left out, none is sent. */
  readonly keyPrefix?: string;
  readonly connections: number;
  /**
   * Requests fall due at this rate, whether or not those before are answered, and each is timed from when it was due: a client that
   * waits for its answer would send little while the server stands still, and so hide that it did. Left out, each connection sends
   * its next request as soon as it has an answer.
   */
  readonly perSecond?: number;
  /** Not counted, so that caches and compilers are warm. */
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly expectedStatus: number;
  /** Every answer must hold this text. */
  readonly expectedText: string;
}

/** One request that fell due at `dueAtMs` (Unix milliseconds) and was answered `waitedMs` later. */
export interface TimedRequest {
  readonly dueAtMs: number;
  readonly waitedMs: number;
}

/** What the load client saw. Times are milliseconds. */
export interface LoadOutcome {
  /** Answers counted and the time in which they came. */
  readonly answered: number;
  readonly elapsedMs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Requests sent, warm-up included. */
  readonly sent: number;
  /** Share of one core that the client itself used, 0 to 1. */
  readonly clientShare: number;
  /** Answers with another status or without the expected text. */
  readonly wrong: number;
  /** The first of those, for whoever looks for the reason. */
  readonly firstWrong: string | null;
  /** Every request of a load at a steady rate; undefined of any other. */
  readonly timed: readonly TimedRequest[] | undefined;
}
