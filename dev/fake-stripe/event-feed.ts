import { setTimeout as sleep } from "node:timers/promises";
import type { Stripe } from "stripe";
import { remember } from "#platform/remember";
import { makeId } from "./stripe-objects.ts";
import { signStripeWebhook } from "./webhook-signature.ts";

/** Where events go and how they are signed. */
export interface EventFeedOptions {
  readonly webhookUrl: string;
  /** Secrets of the endpoint that are in use, each `whsec_…`. */
  readonly webhookSecrets: readonly string[];
  readonly apiVersion: string;
  readonly readClockMs: () => number;
  readonly firstRetryMs?: number;
  /** Deliveries of one event before it is given up; it stays in the list of the undelivered. */
  readonly maxAttempts?: number;
}

/** An event as the list shows it. Its `data` is as it was when the event happened. */
export type FeedEvent = Omit<Stripe.EventBase, "data" | "type"> & {
  readonly type: string;
  readonly data: { readonly object: unknown; readonly previous_attributes?: unknown };
};

/** Which events are listed, newest first. */
export interface EventFilter {
  readonly isUndelivered: boolean;
  readonly types: readonly string[];
  readonly createdFromSeconds: number;
}

interface FeedEntry {
  event: FeedEvent;
  isDelivered: boolean;
}

const MAX_RETRY_MS = 5000;
const ATTEMPT_TIMEOUT_MS = 10_000;
const MAX_KEPT_EVENTS = 10_000;

/**
 * Keeps every event and delivers it to one endpoint until that answers 2xx, with growing pauses. Each attempt is signed anew
 * with the time of the attempt; the id stays. In memory: a stopped process forgets.
 */
export class EventFeed {
  readonly #options: Required<EventFeedOptions>;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #entries = new Map<string, FeedEntry>();

  constructor(options: EventFeedOptions) {
    this.#options = { firstRetryMs: 200, maxAttempts: 200, ...options };
  }

  /** Records what happened to an object and begins to tell it. */
  emit(type: string, object: unknown, previous?: unknown): void {
    const entry: FeedEntry = {
      event: {
        id: makeId("evt"),
        object: "event",
        api_version: this.#options.apiVersion,
        created: Math.floor(this.#options.readClockMs() / 1000),
        data: { object: structuredClone(object), ...(previous === undefined ? {} : { previous_attributes: previous }) },
        livemode: false,
        pending_webhooks: 1,
        request: { id: null, idempotency_key: null },
        type,
      },
      isDelivered: false,
    };
    remember(this.#entries, entry.event.id, entry, MAX_KEPT_EVENTS);
    const delivery = this.#deliver(entry).catch(ignoreStop);
    this.#underWay.add(delivery);
    void delivery.finally(() => this.#underWay.delete(delivery));
  }

  find(id: string): FeedEvent | undefined {
    return this.#entries.get(id)?.event;
  }

  /** Newest first. */
  list({ isUndelivered, types, createdFromSeconds }: EventFilter): FeedEvent[] {
    const matching = [...this.#entries.values()].filter(
      ({ event, isDelivered }) =>
        (!isUndelivered || !isDelivered) &&
        (types.length === 0 || types.includes(event.type)) &&
        event.created >= createdFromSeconds,
    );
    return matching.map(({ event }) => event).toReversed();
  }

  /** Stops delivering. Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#underWay);
  }

  async #deliver(entry: FeedEntry): Promise<void> {
    const { firstRetryMs, maxAttempts } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (attempt > 0) await sleep(Math.min(firstRetryMs * 2 ** (attempt - 1), MAX_RETRY_MS), undefined, { signal });
      if (await this.#attempt(entry.event)) {
        entry.isDelivered = true;
        entry.event = { ...entry.event, pending_webhooks: 0 };
        return;
      }
    }
  }

  /** @returns true for a 2xx. */
  async #attempt(event: FeedEvent): Promise<boolean> {
    const { webhookUrl, webhookSecrets, readClockMs } = this.#options;
    const body = JSON.stringify(event, null, 2);
    try {
      const response = await fetch(webhookUrl, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
          "stripe-signature": signStripeWebhook(body, webhookSecrets, readClockMs()),
        },
        body,
        redirect: "manual",
        signal: AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      return false;
    }
  }
}

/** A pause that is cut short by close() rejects; that is how a delivery ends, not an error. */
function ignoreStop(error: unknown): void {
  if (!(error instanceof Error && error.name === "AbortError")) throw error;
}
