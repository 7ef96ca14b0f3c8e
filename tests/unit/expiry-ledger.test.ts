import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpiryLedger } from "#domain/expiry-ledger";

interface Hold {
  readonly expiresAtMs: number;
  readonly quantity: number;
}

function countNaively(holds: readonly Hold[], nowMs: number): number {
  return holds.reduce((sum, hold) => sum + (hold.expiresAtMs > nowMs ? hold.quantity : 0), 0);
}

function countEndedNaively(holds: readonly Hold[], nowMs: number): number {
  return holds.filter((hold) => hold.expiresAtMs <= nowMs).length;
}

function firstOf(holds: readonly Hold[]): number | undefined {
  return holds.length === 0 ? undefined : Math.min(...holds.map((hold) => hold.expiresAtMs));
}

describe("the expiry ledger", () => {
  it("holds a ticket up to the last millisecond before its expiry, and not at it", () => {
    const ledger = new ExpiryLedger();
    ledger.add(1_000, 2);
    expect([ledger.countLive(0), ledger.countLive(999), ledger.countLive(1_000), ledger.countLive(1_001)]).toEqual([
      2, 2, 0, 0,
    ]);
  });

  it("refuses to forget a hold that it does not know", () => {
    const ledger = new ExpiryLedger();
    ledger.add(1_000, 1);
    expect(() => ledger.remove(1_001, 1)).toThrow("broken invariant");
    expect(() => ledger.remove(1_000, 2)).toThrow("broken invariant");
    expect(ledger.countLive(0)).toBe(1);
  });

  it("counts exactly whatever came and went, in any order, for any moment asked", () => {
    const anyAction = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.constant("add" as const), at: fc.nat(40), quantity: fc.integer({ min: 1, max: 3 }) }),
      },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), pick: fc.nat(1_000) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("count" as const), nowMs: fc.integer({ min: -1, max: 42 }) }) },
    );
    fc.assert(
      fc.property(fc.array(anyAction, { maxLength: 120 }), (actions) => {
        const ledger = new ExpiryLedger();
        const holds: Hold[] = [];
        for (const action of actions) {
          if (action.kind === "add") {
            holds.push({ expiresAtMs: action.at, quantity: action.quantity });
            ledger.add(action.at, action.quantity);
          } else if (action.kind === "remove") {
            const [hold] = holds.splice(action.pick % Math.max(1, holds.length), 1);
            if (hold) ledger.remove(hold.expiresAtMs, hold.quantity);
          } else {
            expect(ledger.countLive(action.nowMs)).toBe(countNaively(holds, action.nowMs));
            const endedCount = countEndedNaively(holds, action.nowMs);
            expect([ledger.countEnded(action.nowMs, 5), ledger.countEnded(action.nowMs, 200)]).toEqual([
              Math.min(endedCount, 5),
              endedCount,
            ]);
          }
          expect(ledger.firstExpiryMs()).toBe(firstOf(holds));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("still counts exactly after it has dropped thousands of buckets that ended", () => {
    const ledger = new ExpiryLedger();
    const holds: Hold[] = Array.from({ length: 10_000 }, (_, position) => ({
      expiresAtMs: position * 2,
      quantity: 1 + (position % 3),
    }));
    for (const hold of holds) ledger.add(hold.expiresAtMs, hold.quantity);
    while (holds.length > 100) {
      const [hold] = holds.splice(0, 1);
      if (hold) ledger.remove(hold.expiresAtMs, hold.quantity);
      if (holds.length % 997 !== 0) continue;
      const nowMs = (holds[50]?.expiresAtMs ?? 0) + (holds.length % 2);
      expect(ledger.countLive(nowMs)).toBe(countNaively(holds, nowMs));
      expect(ledger.countEnded(nowMs, 200)).toBe(countEndedNaively(holds, nowMs));
    }
    expect(ledger.countLive(0)).toBe(countNaively(holds, 0));
    expect(ledger.firstExpiryMs()).toBe(firstOf(holds));
    ledger.add(3, 5);
    expect(ledger.firstExpiryMs()).toBe(3);
    expect(ledger.countLive(2)).toBe(countNaively(holds, 2) + 5);
  });
});
