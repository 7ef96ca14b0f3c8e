/**
 * The load client: a process of its own that keeps some connections busy, one request at a time on each. It speaks just
 * enough HTTP/1.1 over plain sockets to cost a small part of what the server costs; a full client would be the bottleneck.
 */
import { connect, type Socket } from "node:net";
import { AnswerReader, type HttpAnswer } from "./answer-reader.ts";
import type { LoadOutcome, LoadPlan } from "./load-plan.ts";

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
  readonly #latenciesMs: number[] = [];
  readonly #startedAtMs = performance.now();
  readonly #usageAtStart = process.cpuUsage();
  #lastAnswerAtMs = 0;
  #sent = 0;
  #wrong = 0;
  #firstWrong: string | null = null;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#write = createRequestWriter(plan);
  }

  async run(): Promise<LoadOutcome> {
    await Promise.all(Array.from({ length: this.#plan.connections }, () => this.#keepBusy()));
    const sorted = Float64Array.from(this.#latenciesMs).toSorted();
    const elapsedMs = Math.max(1, this.#lastAnswerAtMs - this.#startedAtMs - this.#plan.warmUpMs);
    const { user, system } = process.cpuUsage(this.#usageAtStart);
    const quantile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      answered: sorted.length,
      elapsedMs,
      perSecond: (sorted.length * 1000) / elapsedMs,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      maxMs: sorted.at(-1) ?? 0,
      sent: this.#sent,
      clientShare: (user + system) / 1000 / (performance.now() - this.#startedAtMs),
      wrong: this.#wrong,
      firstWrong: this.#firstWrong,
    };
  }

  async #keepBusy(): Promise<void> {
    const { hostname, port } = new URL(this.#plan.origin);
    const { warmUpMs, measureMs } = this.#plan;
    const measureFromMs = this.#startedAtMs + warmUpMs;
    const endMs = measureFromMs + measureMs;
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    try {
      await new Promise<void>((resolve, reject) => {
        let sentAtMs = 0;
        const sendNext = (): void => {
          sentAtMs = performance.now();
          const request = sentAtMs < endMs ? this.#write(this.#sent) : undefined;
          if (request === undefined) return resolve();
          this.#sent += 1;
          socket.write(request, "latin1");
        };
        const reader = new AnswerReader((answer) => {
          const nowMs = performance.now();
          this.#judge(answer);
          if (sentAtMs >= measureFromMs) this.#latenciesMs.push(nowMs - sentAtMs);
          this.#lastAnswerAtMs = nowMs;
          sendNext();
        });
        socket.on("data", (chunk) => reader.push(chunk));
        socket.once("error", reject);
        socket.once("close", () => reject(new Error("the server closed a connection")));
        socket.once("connect", sendNext);
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
