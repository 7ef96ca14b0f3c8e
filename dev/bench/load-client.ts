/**
 * The load client: a process of its own that keeps some connections busy, one request at a time on each, as fast
 * as answers come or at a steady rate. It speaks just
 * enough HTTP/1.1 over plain sockets to cost a small part of what the server costs; a full client would be the bottleneck.
 */
import { connect, type Socket } from "node:net";
import { AnswerReader, type HttpAnswer } from "./answer-reader.ts";
import type { LoadOutcome, LoadPlan, TimedRequest } from "./load-plan.ts";
import { quantile } from "./report.ts";

const LONGEST_QUOTE = 500;

/** Writes the n-th request of a plan. */
function createRequestWriter(plan: LoadPlan): (number: number) => string | undefined {
  const { headers, bodies, keyPrefix, eachBodyOnce } = plan;
  const start = `${plan.method} ${plan.path} HTTP/1.1\r\nHost: ${new URL(plan.origin).host}\r\n`;
  const heads = headers.length === 0 ? [start] : headers.map((lines) => `${start}${lines}\r\n`);
  const bodyParts = bodies.map(
    (body) => `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return (number) => {
    if (eachBodyOnce && number >= bodyParts.length) return undefined;
    const head = heads[number % heads.length] ?? start;
    const key = keyPrefix === undefined ? "" : `Idempotency-Key: ${keyPrefix}${number}\r\n`;
    const rest = bodyParts.length === 0 ? "\r\n" : (bodyParts[number % bodyParts.length] ?? "\r\n");
    return head + key + rest;
  };
}

class Load {
  readonly #plan: LoadPlan;
  readonly #write: (number: number) => string | undefined;
  /** The next request is due so long after the one before it; 0: whenever a connection is free. */
  readonly #intervalMs: number;
  readonly #timed: TimedRequest[] = [];
  readonly #startedAtMs = performance.now();
  readonly #usageAtStart = process.cpuUsage();
  /** Connections that wait for a request to fall due. */
  readonly #free: ((dueAtMs: number) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastAnswerAtMs = 0;
  #sent = 0;
  #wrong = 0;
  #firstWrong: string | null = null;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#write = createRequestWriter(plan);
    this.#intervalMs = plan.perSecond === undefined ? 0 : 1000 / plan.perSecond;
  }

  async run(): Promise<LoadOutcome> {
    await Promise.all(Array.from({ length: this.#plan.connections }, () => this.#keepBusy()));
    const sorted = Float64Array.from(this.#timed, ({ waitedMs }) => waitedMs).toSorted();
    const elapsedMs = Math.max(1, this.#lastAnswerAtMs - this.#startedAtMs - this.#plan.warmUpMs);
    const { user, system } = process.cpuUsage(this.#usageAtStart);
    return {
      answered: sorted.length,
      elapsedMs,
      perSecond: (sorted.length * 1000) / elapsedMs,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      maxMs: sorted.at(-1) ?? 0,
      sent: this.#sent,
      clientShare: (user + system) / 1000 / (performance.now() - this.#startedAtMs),
      wrong: this.#wrong,
      firstWrong: this.#firstWrong,
      timed: this.#plan.perSecond === undefined ? undefined : this.#timed,
    };
  }

  /** Gives the connection its next request, at once or when one is due. */
  #sendWhenDue(send: (dueAtMs: number) => void): void {
    if (this.#intervalMs === 0) return send(performance.now());
    this.#free.push(send);
    if (this.#timer === undefined) this.#sendDue();
  }

  #sendDue(): void {
    this.#timer = undefined;
    while (this.#free.length > 0) {
      const dueAtMs = this.#startedAtMs + this.#sent * this.#intervalMs;
      const earlyMs = dueAtMs - performance.now();
      if (earlyMs > 0 && dueAtMs < this.#endMs) {
        this.#timer = setTimeout(() => this.#sendDue(), earlyMs);
        return;
      }
      this.#free.shift()?.(dueAtMs);
    }
  }

  get #endMs(): number {
    return this.#startedAtMs + this.#plan.warmUpMs + this.#plan.measureMs;
  }

  async #keepBusy(): Promise<void> {
    const { hostname, port } = new URL(this.#plan.origin);
    const measureFromMs = this.#startedAtMs + this.#plan.warmUpMs;
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    try {
      await new Promise<void>((resolve, reject) => {
        let dueAtMs = 0;
        const send = (atMs: number): void => {
          dueAtMs = atMs;
          const request = dueAtMs < this.#endMs ? this.#write(this.#sent) : undefined;
          if (request === undefined) return resolve();
          this.#sent += 1;
          socket.write(request, "latin1");
        };
        const reader = new AnswerReader((answer) => {
          const nowMs = performance.now();
          this.#judge(answer);
          if (dueAtMs >= measureFromMs) {
            this.#timed.push({ dueAtMs: performance.timeOrigin + dueAtMs, waitedMs: nowMs - dueAtMs });
          }
          this.#lastAnswerAtMs = nowMs;
          this.#sendWhenDue(send);
        });
        socket.on("data", (chunk) => reader.push(chunk));
        socket.once("error", reject);
        socket.once("close", () => reject(new Error("the server closed a connection")));
        socket.once("connect", () => this.#sendWhenDue(send));
      });
    } finally {
      closeQuietly(socket);
    }
  }

  #judge(answer: HttpAnswer): void {
    if (answer.status === this.#plan.expectedStatus && answer.body.includes(this.#plan.expectedText)) return;
    this.#wrong += 1;
    this.#firstWrong ??= `${answer.status} ${answer.body.slice(0, LONGEST_QUOTE)}`;
  }
}

function closeQuietly(socket: Socket): void {
  socket.removeAllListeners("close");
  socket.on("error", () => undefined);
  socket.destroy();
}

process.on("message", (plan: LoadPlan) => {
  new Load(plan).run().then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
