import { describe, expect, it } from "vitest";
import {
  decideDelivery,
  decideHealth,
  deriveDeliveryId,
  deriveEventId,
  formatEventBody,
  parseEventMessage,
  readAnswer,
  type OutgoingEvent,
} from "#domain/webhook-delivery";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2031, 4, 1);
const EVENT: OutgoingEvent = {
  outboxId: 7,
  tenantId: "5f0c9f2e-0000-4000-8000-000000000001",
  topic: "ticket.transferred",
  body: '{"ticketId":"k"}',
  createdAtMs: NOW_MS,
};
const TAKEN = readAnswer(204);
const REFUSED = readAnswer(500);

describe("an event", () => {
  it("keeps its id, and its delivery to an endpoint too, however often they are worked out", () => {
    const eventId = deriveEventId(EVENT);
    expect(eventId).toMatch(/^evt_[0-9a-f]{32}$/);
    expect(deriveEventId({ ...EVENT })).toBe(eventId);
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    expect(deriveDeliveryId(one, eventId)).toBe(deriveDeliveryId(one, eventId));
    expect(deriveDeliveryId(one, eventId)).not.toBe(deriveDeliveryId(other, eventId));
  });

  it("never has the id of another one, also when a restored database gives its number again", () => {
    const changes: Partial<OutgoingEvent>[] = [{ outboxId: 8 }, { createdAtMs: NOW_MS + 1 }, { body: "{}" }, { topic: "x" }];
    const ids = changes.map((change) => deriveEventId({ ...EVENT, ...change }));
    expect(new Set([deriveEventId(EVENT), ...ids]).size).toBe(5);
  });

  it("is sent with its type, when it happened, and what it says", () => {
    expect(JSON.parse(formatEventBody(EVENT))).toEqual({
      type: "ticket.transferred",
      timestamp: "2031-05-01T00:00:00.000Z",
      data: { ticketId: "k" },
    });
  });
});

describe("a delivery", () => {
  it("is done with 2xx alone", () => {
    for (const status of [200, 201, 204, 299]) expect(readAnswer(status).error, String(status)).toBeNull();
    for (const status of [300, 301, 302, 307, 399]) expect(readAnswer(status).error, String(status)).toBe("redirected");
    for (const status of [100, 199, 400, 401, 410, 429, 500, 503]) {
      expect(readAnswer(status).error, String(status)).toBe("bad_status");
    }
    expect(decideDelivery(3, TAKEN, NOW_MS)).toMatchObject({ status: "SUCCEEDED", nextAttemptAtMs: null });
  });

  it("is tried ten times over three days, after ever longer pauses, and is then given up", () => {
    let atMs = NOW_MS;
    const pauses: number[] = [];
    for (let failures = 0; failures < 9; failures += 1) {
      const { nextAttemptAtMs, ...standing } = decideDelivery(failures, REFUSED, atMs);
      expect(standing).toEqual({ status: "PENDING", failures: failures + 1 });
      pauses.push((nextAttemptAtMs ?? 0) - atMs);
      atMs = nextAttemptAtMs ?? 0;
    }
    const [seconds, ...longer] = pauses;
    expect(seconds).toBe(5_000);
    expect(longer.map((ms) => ms / 60_000)).toEqual([5, 30, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * 60)]);
    expect(decideDelivery(9, REFUSED, atMs)).toEqual({ status: "FAILED", failures: 10, nextAttemptAtMs: null });
  });
});

describe("an endpoint", () => {
  it("that takes one of several goes on, as if it had never failed", () => {
    const health = decideHealth(NOW_MS - 4 * DAY_MS, [REFUSED, TAKEN], NOW_MS);
    expect(health).toEqual({ failingSinceMs: null, restsUntilMs: null, disabledBecause: null });
  });

  it("that takes nothing rests the longer the longer it has failed, ten minutes at most", () => {
    const restAfter = (failingMs: number): number =>
      (decideHealth(NOW_MS - failingMs, [REFUSED], NOW_MS).restsUntilMs ?? 0) - NOW_MS;
    expect(decideHealth(null, [REFUSED], NOW_MS)).toMatchObject({ failingSinceMs: NOW_MS, restsUntilMs: NOW_MS + 5_000 });
    expect([0, 10, 100, 600].map((seconds) => restAfter(seconds * 1_000))).toEqual([5_000, 5_000, 10_000, 60_000]);
    expect(restAfter(DAY_MS)).toBe(600_000);
  });

  it("is disabled when it took nothing for five days, and not a moment before", () => {
    expect(decideHealth(NOW_MS - 5 * DAY_MS + 1, [REFUSED], NOW_MS).disabledBecause).toBeNull();
    expect(decideHealth(NOW_MS - 5 * DAY_MS, [REFUSED], NOW_MS).disabledBecause).toBe("failing");
  });

  it("is disabled at once when it says that it is gone", () => {
    expect(decideHealth(null, [TAKEN, readAnswer(410)], NOW_MS).disabledBecause).toBe("gone");
  });

  it("is as it was when nothing was sent to it", () => {
    expect(decideHealth(5, [], NOW_MS)).toEqual({ failingSinceMs: 5, restsUntilMs: null, disabledBecause: null });
  });
});

describe("a message of the event queue", () => {
  it("names an endpoint or none, and is otherwise none of ours", () => {
    const endpointId = crypto.randomUUID();
    expect(parseEventMessage({ endpointId })).toEqual({ endpointId });
    expect(parseEventMessage({ endpointId: null })).toEqual({ endpointId: null });
    for (const body of [null, "x", {}, { endpointId: 1 }, { endpointId: "x" }]) expect(parseEventMessage(body)).toBeUndefined();
  });
});
