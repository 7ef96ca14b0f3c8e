/** Outgoing events in a test's own hands: receivers that answer as told, a clock that moves on demand, and a queue that waits. */
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { EventMessage } from "#domain/webhook-delivery";
import { consumeEventMessages, type EventConsumerContext } from "#queues/event-consumer";
import { runCron, type CronJob } from "#services/upkeep/run-cron";
import { sendDueEvents } from "#services/webhook/announce-events";
import { createCronContext, createEventContext } from "#src/compose";
import { makeLogger, type LogLine } from "./call-service.ts";
import { signIn, type Caller } from "./contract-call.ts";

/** What an endpoint was sent. */
export interface Received {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  /** By the bench's clock. */
  readonly atMs: number;
}

/** How an endpoint answers; what it throws is a network that fails. */
export type Answerer = (received: Received) => Response | Promise<Response>;

/** An endpoint of a test. */
export interface TestEndpoint {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly received: Received[];
  /** 204 unless a test says otherwise. */
  answer: Answerer;
}

/** A message on its way, and when the queue would deliver it. */
export interface QueuedMessage {
  readonly body: EventMessage;
  readonly atMs: number;
}

/** Endpoints of all benches, by address. */
const reachable = new Map<string, { readonly endpoint: TestEndpoint; readonly bench: WebhookBench }>();

/** The bench; every one has a tenant of its own. */
export class WebhookBench {
  readonly lines: LogLine[] = [];
  readonly queued: QueuedMessage[] = [];
  nowMs = Date.now();
  readonly admin: Caller;

  constructor(admin: Caller) {
    this.admin = admin;
  }

  /** Makes an endpoint over HTTP. */
  async makeEndpoint(change: Readonly<Record<string, unknown>> = {}): Promise<TestEndpoint> {
    const url = `https://${crypto.randomUUID()}.example.org/hook`;
    const { status, body } = await this.admin.call("POST", "/api/v1/webhook-endpoints", { body: { url, ...change } });
    if (status !== 201) throw new Error(`expected 201, got ${status}: ${JSON.stringify(body)}`);
    const answer = (): Response => new Response(null, { status: 204 });
    const endpoint = { id: String(body["id"]), secret: String(body["secret"]), url, received: [], answer };
    reachable.set(url, { endpoint, bench: this });
    return endpoint;
  }

  /** Writes an event as a change would. */
  async emit(topic = "ticket.canceled", fields: object = { ticketId: crypto.randomUUID() }): Promise<void> {
    await env.DB.prepare(
      "INSERT INTO outbox (tenant_id, topic, body, created_at_ms, next_attempt_at_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
    )
      .bind(this.admin.tenantId, topic, JSON.stringify(fields), this.nowMs)
      .run();
  }

  /** What the consumer and the cron's job get of the service, but for the clock, the queue and the log. */
  context(change: Partial<EventConsumerContext> = {}): EventConsumerContext {
    // The cron sees to the endpoints of all tenants; those of other tests stay out of this one's time.
    const isOwn = (endpointId: string | null): boolean =>
      endpointId === null ||
      [...reachable.values()].some(({ endpoint, bench }) => endpoint.id === endpointId && bench === this);
    const put = (body: EventMessage, delaySeconds = 0): void => {
      if (isOwn(body.endpointId)) this.queued.push({ body, atMs: this.nowMs + delaySeconds * 1_000 });
    };
    const eventQueue = {
      send: async (body: EventMessage, options?: QueueSendOptions) => put(body, options?.delaySeconds),
      sendBatch: async (messages: Iterable<MessageSendRequest<EventMessage>>) => {
        for (const { body } of messages) put(body);
      },
    } as unknown as EventConsumerContext["eventQueue"]; // nothing else of a queue is used
    const clock = { nowMs: this.nowMs, readClockMs: () => this.nowMs };
    return { ...createEventContext(env), ...clock, eventQueue, logger: makeLogger(this.lines), ...change };
  }

  /** Delivers bodies to the consumer in one batch. @returns how each was answered. */
  async consume(bodies: readonly unknown[], change: Partial<EventConsumerContext> = {}): Promise<string[]> {
    const answers = bodies.map(() => "none");
    const messages = bodies.map((body, at) => ({
      id: String(at),
      body,
      attempts: 1,
      ack: () => void (answers[at] = "ack"),
      retry: () => void (answers[at] = "retry"),
    }));
    // The consumer uses a batch's messages and name only.
    await consumeEventMessages(this.context(change), { queue: "events", messages } as unknown as MessageBatch);
    return answers;
  }

  /** Runs the cron's job for events. */
  runCron(): Promise<number> {
    return sendDueEvents(this.context());
  }

  /** Runs the cron's jobs of this name as they are, at the bench's time. */
  async runJobs(jobs: readonly CronJob[], change: Partial<ReturnType<typeof createCronContext>> = {}): Promise<void> {
    await runCron({ ...createCronContext(env, this.nowMs), logger: makeLogger(this.lines), ...change }, jobs);
  }

  /** Lets the queue deliver all that is due by now, until it has nothing more. */
  async drain(): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      const due = this.queued.filter(({ atMs }) => atMs <= this.nowMs);
      if (due.length === 0) return;
      this.queued.splice(0, this.queued.length, ...this.queued.filter((message) => !due.includes(message)));
      for (let start = 0; start < due.length; start += 5) {
        await this.consume(due.slice(start, start + 5).map(({ body }) => body));
      }
    }
    throw new Error("the queue does not come to rest");
  }

  /** Announces and sends whatever is due: the cron, then the queue. */
  async settle(): Promise<void> {
    await this.runCron();
    await this.drain();
  }
}

/** A bench with a tenant of its own. The test restores mocks when it is done. */
export async function makeWebhookBench(): Promise<WebhookBench> {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const reached = reachable.get(request.url);
    if (!reached || request.method !== "POST") throw new TypeError("no route to host");
    const { endpoint, bench } = reached;
    const received = { url: request.url, headers: request.headers, body: await request.text(), atMs: bench.nowMs };
    endpoint.received.push(received);
    return endpoint.answer(received);
  });
  return new WebhookBench(await signIn("admin", crypto.randomUUID()));
}

/** The `webhook-id` of what was received. */
export function idsOf(received: readonly Received[]): (string | null)[] {
  return received.map(({ headers }) => headers.get("webhook-id"));
}
