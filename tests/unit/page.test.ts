import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatCursor, mergeNewest, pageOfRecent, parseCursor, type Position } from "#services/page";

interface Item extends Position {
  readonly state: number;
}

const newestFirst = (one: Position, other: Position): number =>
  other.createdAtMs - one.createdAtMs || Number(one.id < other.id) - Number(one.id > other.id);
const isAfter = (item: Position, after: Position | undefined): boolean => !after || newestFirst(after, item) < 0;

/** Few moments, so that many items share one. */
const items = fc.uniqueArray(
  fc.record({ createdAtMs: fc.integer({ min: 1, max: 6 }), id: fc.uuid(), stored: fc.boolean(), recent: fc.boolean() }),
  {
    selector: (item) => item.id,
    maxLength: 30,
  },
);

describe("pages of a list that two places know", () => {
  it("show each item once, newest first, in its newer state, whatever is stored and whatever is only recent", () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 7 }), (made, limit) => {
        const known = made.filter((item) => item.stored || item.recent);
        const rows: Item[] = known.filter((item) => item.stored).map(({ createdAtMs, id }) => ({ createdAtMs, id, state: 1 }));
        const recent: Item[] = known
          .filter((item) => item.recent)
          .map(({ createdAtMs, id }) => ({ createdAtMs, id, state: 2 }));
        const seen: Item[] = [];
        let after: Position | undefined;
        for (let page = 0; page <= known.length; page += 1) {
          const stored = rows
            .filter((row) => isAfter(row, after))
            .toSorted(newestFirst)
            .slice(0, limit + 1);
          const answer = mergeNewest(stored, recent, { limit, after }, (desk) => desk);
          seen.push(...answer.items);
          if (answer.nextCursor === null) break;
          const cursor = parseCursor(answer.nextCursor);
          if (!cursor.ok || !cursor.value) throw new Error("a cursor of our own");
          after = cursor.value;
        }
        const expected = known.toSorted(newestFirst).map(({ id, recent: isRecent }) => [id, isRecent ? 2 : 1]);
        expect(seen.map((item) => [item.id, item.state])).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it("never call themselves the last while the database is down", () => {
    const recent = [1, 2, 3].map((createdAtMs) => ({ createdAtMs, id: crypto.randomUUID() }));
    const first = pageOfRecent(recent, { limit: 2, after: undefined });
    expect(first?.items.map((item) => item.createdAtMs)).toEqual([3, 2]);
    const second = pageOfRecent(recent, { limit: 2, after: first?.items.at(-1) });
    expect(second?.items.map((item) => item.createdAtMs)).toEqual([1]);
    expect(second?.nextCursor).not.toBeNull();
    expect(pageOfRecent(recent, { limit: 2, after: second?.items.at(-1) })).toBeUndefined();
  });
});

describe("a cursor", () => {
  it("comes back as the position it was made of", () => {
    fc.assert(
      fc.property(fc.nat(4_000_000_000_000), fc.uuid(), (createdAtMs, id) => {
        expect(parseCursor(formatCursor({ createdAtMs, id }))).toEqual({ ok: true, value: { createdAtMs, id } });
      }),
    );
  });

  it.each(["", "x", "1.2", `zzzzzzzzzzz.${crypto.randomUUID()}`, `-1.${crypto.randomUUID()}`, `1.${crypto.randomUUID()}'`])(
    "%j is refused",
    (text) => {
      expect(parseCursor(text)).toMatchObject({ ok: false, failure: { code: "validation_failed" } });
    },
  );
});
