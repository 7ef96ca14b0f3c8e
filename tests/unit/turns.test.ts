import { expect, it } from "vitest";
import { idsInTurn, pickInTurn } from "#domain/turns";

it("a turn begins at another place of its ids each hour, and comes by all of them", () => {
  const firsts = Array.from({ length: 2_000 }, (_, hour) => idsInTurn(hour * 3_600_000));
  for (const { from, to, first } of firsts) expect(first >= from && first < to).toBe(true);
  expect(new Set(firsts.map(({ first }) => first)).size).toBe(1_092);
});

it("every id has exactly one turn in any sixty minutes in a row, the first and the last one too", () => {
  const ids = ["00000000", "0444ffff", "04450000", "7fffffff", "80000000", "fbbaffff", "fffffffe", "ffffffff"].map(
    (head) => `${head}-ffff-4fff-bfff-ffffffffffff`,
  );
  for (const startMs of [0, 17 * 60_000, 1_790_000_123_456]) {
    const turns = Array.from({ length: 60 }, (_, minute) => idsInTurn(startMs + minute * 60_000));
    for (const id of ids)
      expect(
        turns.filter(({ from, to }) => id >= from && id < to),
        id,
      ).toHaveLength(1);
  }
});

it("every item has its turn, however many there are, and few have it each minute", () => {
  for (const length of [0, 1, 7, 8, 9, 17]) {
    const items = Array.from({ length }, (_, index) => index);
    const turns = Math.max(Math.ceil(length / 8), 1);
    const picked = Array.from({ length: turns }, (_, minute) => pickInTurn(items, 8, (1_000_000 + minute) * 60_000));
    for (const each of picked) expect(each.length).toBeLessThanOrEqual(8);
    expect(picked.flat().toSorted((a, b) => a - b)).toEqual(items);
  }
});
