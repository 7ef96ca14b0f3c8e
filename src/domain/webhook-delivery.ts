import { deriveId, deskNumberOf, hashParts, isUuid } from "./ids.ts";
import type { AttemptError, WebhookDeliveryStatus } from "./statuses.ts";

/** Asks for work on outgoing events: at this endpoint, or, when it is null, wherever something new is to be sent. */
export interface EventMessage {
  readonly endpointId: string | null;
}

/** An outgoing event as its change has written it. `body` is JSON. */
export interface OutgoingEvent {
  readonly outboxId: number;
  readonly tenantId: string;
  readonly topic: string;
  readonly body: string;
  readonly createdAtMs: number;
}

/** What came back of an attempt; `status` is null when no answer did. */
export interface AttemptAnswer {
  readonly status: number | null;
  /** Null when the endpoint took the event. */
  readonly error: AttemptError | null;
}

/** What an attempt makes of its delivery. */
export interface DeliveryProgress {
  readonly status: WebhookDeliveryStatus;
  readonly failures: number;
  readonly nextAttemptAtMs: number | null;
}

/** How an endpoint does after some attempts. */
export interface EndpointHealth {
  readonly failingSinceMs: number | null;
  /** Until then nothing more is sent to it; null when it may go on. */
  readonly restsUntilMs: number | null;
  /** Why nothing is sent to it any more. */
  readonly disabledBecause: "failing" | "gone" | "secret_unreadable" | null;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Pauses after the first, second … attempt in vain, as Standard Webhooks 1.0.0 suggests: ten attempts in three days. */
const PAUSES_MS: readonly number[] = [
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/** An endpoint that took nothing for so long is disabled. */
const FAILING_TOO_LONG_MS = 5 * 24 * HOUR_MS;

const SHORTEST_REST_MS = 5_000;
const LONGEST_REST_MS = 10 * MINUTE_MS;

/**
 * The `webhook-id` of an event, the same at every attempt and for every endpoint. Made of all the row says, because its number
 * alone comes again when the database is restored to an earlier time.
 */
export function deriveEventId({ outboxId, tenantId, topic, body, createdAtMs }: OutgoingEvent): string {
  return `evt_${hashParts(["event", tenantId, String(outboxId), topic, body, String(createdAtMs)]).slice(0, 32)}`;
}

/** The id of an event's delivery to an endpoint. */
export function deriveDeliveryId(endpointId: string, eventId: string): string {
  return deriveId(deskNumberOf(endpointId), ["delivery", endpointId, eventId]);
}

/** What is sent of an event: `type`, `timestamp` (when it happened) and `data`, as Standard Webhooks recommends. */
export function formatEventBody({ topic, body, createdAtMs }: OutgoingEvent): string {
  const happenedAt = new Date(createdAtMs).toISOString();
  return `{"type":${JSON.stringify(topic)},"timestamp":"${happenedAt}","data":${body}}`;
}

/** Reads a status: 2xx took the event, everything else did not. Redirects are not followed, they could lead anywhere. */
export function readAnswer(status: number): AttemptAnswer {
  if (status >= 200 && status < 300) return { status, error: null };
  return { status, error: status >= 300 && status < 400 ? "redirected" : "bad_status" };
}

/** What becomes of a delivery that was attempted in vain `failures` times before this attempt. */
export function decideDelivery(failures: number, answer: AttemptAnswer, nowMs: number): DeliveryProgress {
  if (answer.error === null) return { status: "SUCCEEDED", failures, nextAttemptAtMs: null };
  const pauseMs = PAUSES_MS[failures];
  if (pauseMs === undefined) return { status: "FAILED", failures: failures + 1, nextAttemptAtMs: null };
  return { status: "PENDING", failures: failures + 1, nextAttemptAtMs: nowMs + pauseMs };
}

/**
 * How an endpoint does after attempts that were made together. One that took none of them rests for a tenth of the time that
 * it has failed, 5 s to 10 minutes, whatever else waits for it: so a dead one costs little, and one that came back is soon found.
 * It is disabled when it took nothing for 5 days, or answered 410.
 */
export function decideHealth(failingSinceMs: number | null, answers: readonly AttemptAnswer[], nowMs: number): EndpointHealth {
  if (answers.some(({ status }) => status === 410)) {
    return { failingSinceMs: failingSinceMs ?? nowMs, restsUntilMs: null, disabledBecause: "gone" };
  }
  if (answers.length === 0) return { failingSinceMs, restsUntilMs: null, disabledBecause: null };
  if (answers.some(({ error }) => error === null)) return { failingSinceMs: null, restsUntilMs: null, disabledBecause: null };
  const sinceMs = failingSinceMs ?? nowMs;
  const failingMs = nowMs - sinceMs;
  const restMs = Math.min(Math.max(failingMs / 10, SHORTEST_REST_MS), LONGEST_REST_MS);
  return {
    failingSinceMs: sinceMs,
    restsUntilMs: nowMs + Math.floor(restMs),
    disabledBecause: failingMs >= FAILING_TOO_LONG_MS ? "failing" : null,
  };
}

/** Reads a queue message; undefined when it is none of ours. */
export function parseEventMessage(body: unknown): EventMessage | undefined {
  if (typeof body !== "object" || body === null || !("endpointId" in body)) return undefined;
  const { endpointId } = body;
  if (endpointId === null) return { endpointId };
  return typeof endpointId === "string" && isUuid(endpointId) ? { endpointId } : undefined;
}
