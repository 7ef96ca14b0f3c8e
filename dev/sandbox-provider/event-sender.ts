import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { remember } from "#platform/remember";

/** An event to be told to the service, in the wire's own shape. */
export interface OutgoingEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly paymentId: string;
    readonly orderId: string;
    readonly amountCents: number;
    readonly currency: string;
    readonly reason?: string;
    /** Of a `refund.*` event: the Idempotency-Key that the refund was asked for with. */
    readonly refundId?: string;
    /** Of a `dispute.*` event. */
    readonly disputeId?: string;
  };
}

/** How an event is delivered. */
export interface DeliveryPlan {
  /** Deliveries beyond the first, all with the same `webhook-id`. */
  readonly duplicates: number;
  readonly delayMs: number;
  /** Wait until a later event of the same payment has arrived. */
  readonly isHeldBack: boolean;
}

/** What became of an event, as `GET /events` shows it. */
export interface EventRecord extends OutgoingEvent {
  readonly id: string;
  /** Deliveries planned, duplicates included. */
  readonly deliveries: number;
  deliveredCount: number;
  attempts: number;
  /** Status of the last attempt, or null when there was no answer. */
  lastStatus: number | null;
  state: "waiting" | "delivered" | "given_up";
}

/** Where events go and how they are signed. */
export interface EventSenderOptions {
  readonly webhookUrl: string;
  /** `whsec_…` */
  readonly secret: string;
  readonly firstRetryMs?: number;
  /** An event that nobody took for so long is given up. */
  readonly giveUpAfterMs?: number;
  /** How long a held back event waits for a later one. */
  readonly heldBackMs?: number;
  /** After so long an event that nobody took yet is listed as undelivered. */
  readonly undeliveredAfterMs?: number;
}

interface HeldBack {
  readonly paymentId: string;
  readonly sequence: number;
  readonly release: () => void;
}

const MAX_RETRY_MS = 5000;
const ATTEMPT_TIMEOUT_MS = 10_000;
const MAX_REQUESTS_AT_ONCE = 64;
const MAX_KEPT_EVENTS = 10_000;

/**
 * Sends signed events over HTTP from a queue that outlives the request that caused them, and repeats each until it gets a
 * 2xx. Every attempt is signed anew with the time of the attempt; the id stays. In memory: a stopped process forgets.
 */
export class EventSender {
  readonly #options: Required<EventSenderOptions>;
  readonly #signer: Webhook;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #events = new Map<string, EventRecord>();
  readonly #waitingForSlot: (() => void)[] = [];
  #heldBack: HeldBack[] = [];
  #requestCount = 0;
  #sequence = 0;

  constructor(options: EventSenderOptions) {
    this.#options = { firstRetryMs: 200, giveUpAfterMs: 15 * 60_000, heldBackMs: 3000, undeliveredAfterMs: 30_000, ...options };
    this.#signer = new Webhook(options.secret);
  }

  /** Queues an event and returns its id at once. */
  send(event: OutgoingEvent, plan: DeliveryPlan): string {
    const id = `evt_${randomUUID().replaceAll("-", "")}`;
    const deliveries = 1 + plan.duplicates;
    const record: EventRecord = {
      id,
      ...event,
      deliveries,
      deliveredCount: 0,
      attempts: 0,
      lastStatus: null,
      state: "waiting",
    };
    remember(this.#events, record.id, record, MAX_KEPT_EVENTS);
    this.#sequence += 1;
    const sequence = this.#sequence;
    const start = this.#waitToStart(event.data.paymentId, sequence, plan);
    for (let copy = 0; copy < deliveries; copy += 1) {
      const delivery = start.then(() => this.#deliver(record, sequence)).catch(ignoreStop);
      this.#underWay.add(delivery);
      void delivery.finally(() => this.#underWay.delete(delivery));
    }
    return id;
  }

  /** The newest events, oldest first. */
  list(): EventRecord[] {
    return [...this.#events.values()];
  }

  /** Those of them that nobody took: given up, or refused so far and older than a first few attempts take. */
  listUndelivered(): EventRecord[] {
    const beforeMs = Date.now() - this.#options.undeliveredAfterMs;
    return this.list().filter(({ state, attempts, deliveredCount, timestamp }) => {
      if (deliveredCount > 0) return false;
      return state === "given_up" || (attempts > 0 && Date.parse(timestamp) <= beforeMs);
    });
  }

  /** Stops sending: what was not delivered is lost. Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    for (const wake of this.#waitingForSlot.splice(0)) wake();
    await Promise.allSettled(this.#underWay);
  }

  async #waitToStart(paymentId: string, sequence: number, plan: DeliveryPlan): Promise<void> {
    const { signal } = this.#stopping;
    if (plan.delayMs > 0) await sleep(plan.delayMs, undefined, { signal });
    if (!plan.isHeldBack) return;
    const laterArrived = new Promise<void>((release) => {
      this.#heldBack.push({ paymentId, sequence, release });
    });
    await Promise.race([laterArrived, sleep(this.#options.heldBackMs, undefined, { signal })]);
  }

  async #deliver(record: EventRecord, sequence: number): Promise<void> {
    const giveUpAtMs = Date.now() + this.#options.giveUpAfterMs;
    let pauseMs = this.#options.firstRetryMs;
    while (Date.now() < giveUpAtMs && !this.#stopping.signal.aborted) {
      const status = await this.#attempt(record);
      record.attempts += 1;
      record.lastStatus = status;
      if (status !== null && status >= 200 && status < 300) {
        record.deliveredCount += 1;
        if (record.deliveredCount === record.deliveries) record.state = "delivered";
        this.#releaseEarlier(record.data.paymentId, sequence);
        return;
      }
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal });
      pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
    }
    record.state = "given_up";
  }

  /** @returns the answer's status, or null when there was none. */
  async #attempt(record: EventRecord): Promise<number | null> {
    await this.#takeSlot();
    try {
      const { type, timestamp, data } = record;
      const body = JSON.stringify({ type, timestamp, data });
      const signedAt = new Date();
      const response = await fetch(this.#options.webhookUrl, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "webhook-id": record.id,
          "webhook-timestamp": String(Math.floor(signedAt.getTime() / 1000)),
          "webhook-signature": this.#signer.sign(record.id, signedAt, body),
        },
        body,
        redirect: "manual",
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return null;
    } finally {
      this.#requestCount -= 1;
      this.#waitingForSlot.shift()?.();
    }
  }

  async #takeSlot(): Promise<void> {
    if (this.#requestCount >= MAX_REQUESTS_AT_ONCE) {
      await new Promise<void>((resolve) => this.#waitingForSlot.push(resolve));
    }
    this.#requestCount += 1;
  }

  #releaseEarlier(paymentId: string, sequence: number): void {
    const isEarlier = (held: HeldBack): boolean => held.paymentId === paymentId && held.sequence < sequence;
    const released = this.#heldBack.filter(isEarlier);
    this.#heldBack = this.#heldBack.filter((held) => !isEarlier(held));
    for (const held of released) held.release();
  }
}

/** A pause that is cut short by close() rejects; that is how a delivery ends, not an error. */
function ignoreStop(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
