import fc from "fast-check";
import { expect, it } from "vitest";
import { ORDER_NUMBER_BLOCK_SIZE, ORDER_NUMBER_BLOCKS, orderNumberAt, orderNumberBlock } from "#domain/order-number";

const indexes = fc.integer({ min: 0, max: 99_999_999 });

it("two orders never share a number, however far apart they were placed", () => {
  fc.assert(
    fc.property(fc.string(), indexes, indexes, (key, one, other) => {
      fc.pre(one !== other);
      expect(orderNumberAt(key, one)).not.toBe(orderNumberAt(key, other));
    }),
    { numRuns: 2_000 },
  );
});

it("no two of 30,000 orders in a row share a number", () => {
  const numbers = Array.from({ length: 30_000 }, (_, index) => orderNumberAt("key", index));
  expect(new Set(numbers).size).toBe(30_000);
});

it("an order number is `ORD-` and eight digits, from the first to the last", () => {
  for (const index of [0, 1, 9_999, 10_000, 99_999_999]) expect(orderNumberAt("key", index)).toMatch(/^ORD-\d{8}$/);
});

it("orders in a row do not tell how many were sold", () => {
  const digits = Array.from({ length: 1_000 }, (_, index) => Number(orderNumberAt("key", index).slice(4)));
  const steps = digits.slice(1).map((number, position) => Math.abs(number - (digits[position] ?? 0)));
  // Two numbers drawn at random from 0 to N lie N/3 apart on average; a counter's lie 1 apart.
  const averageStep = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  expect(averageStep).toBeGreaterThan(25_000_000);
  expect(averageStep).toBeLessThan(42_000_000);
  expect(orderNumberAt("another key", 0)).not.toBe(orderNumberAt("key", 0));
});

it("blocks lie side by side over all eight digits", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: ORDER_NUMBER_BLOCKS - 2 }), (block) => {
      expect(orderNumberBlock("key", block).endIndex).toBe(orderNumberBlock("key", block + 1).nextIndex);
    }),
  );
  expect(orderNumberBlock("key", ORDER_NUMBER_BLOCKS - 1).endIndex).toBe(ORDER_NUMBER_BLOCKS * ORDER_NUMBER_BLOCK_SIZE);
  expect(ORDER_NUMBER_BLOCKS * ORDER_NUMBER_BLOCK_SIZE).toBe(100_000_000);
});

// A desk of yesterday's version has given the one number, one of today's gives the other: another permutation would repeat some.
it.each([
  ["key", 0, "ORD-55843677"],
  ["key", 1, "ORD-67157602"],
  ["key", 12_345_678, "ORD-78050377"],
  ["key", 99_999_999, "ORD-64134472"],
  ["another", 0, "ORD-36288486"],
])("of key %s, order %i has the same number for good, whatever was asked before: %s", (key, index, number) => {
  expect(orderNumberAt(key, index)).toBe(number);
});
