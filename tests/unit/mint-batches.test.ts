import { describe, expect, it } from "vitest";
import { decideBatchLimit, decideComputeUnits, decidePriorityFee, decideVersion, groupMints } from "#domain/mint-batches";

describe("which tickets share a transaction", () => {
  it("takes five, then two, then one: a ticket that the chain refuses stands alone after two transactions in vain", () => {
    expect([0, 1, 2, 3, 8, 1_000].map((attempts) => decideBatchLimit(attempts, 0))).toEqual([5, 2, 1, 1, 1, 1]);
  });

  it("takes ten in version 1, and goes on in version 0 with what came to nothing", () => {
    expect([0, 1, 2, 3].map((attempts) => decideBatchLimit(attempts, 1))).toEqual([10, 2, 1, 1]);
    expect([0, 1, 8].map((attempts) => decideVersion(attempts, 1))).toEqual([1, 0, 0]);
    expect(decideVersion(0, 0)).toBe(0);
  });

  it("never mixes trees, collections or numbers of attempts, and leaves nobody out", () => {
    const mints = [
      { id: 1, place: "tree collection", attempts: 0 },
      { id: 2, place: "tree other", attempts: 0 },
      { id: 3, place: "tree collection", attempts: 1 },
      { id: 4, place: "tree collection", attempts: 0 },
    ];
    expect(groupMints(mints).map((group) => group.map(({ id }) => id))).toEqual([[1, 4], [2], [3]]);
  });
});

describe("what a transaction of mints asks for", () => {
  it("has room for the dearest mint that was measured, and stays under the runtime's limit", () => {
    for (const count of [1, 2, 3, 4, 5, 10]) {
      expect(decideComputeUnits(count)).toBeGreaterThanOrEqual(count * 87_000 + 450);
      expect(decideComputeUnits(count)).toBeLessThan(1_400_000);
    }
  });

  it("bids what would have been enough in three of four recent blocks, and nothing where nobody bids", () => {
    expect(decidePriorityFee([0, 0, 0, 400], 0, 100_000)).toBe(400);
    expect(decidePriorityFee([5, 1, 3, 2, 4, 6, 8, 7], 0, 100_000)).toBe(7);
    expect(decidePriorityFee([0, 0, 0, 0], 0, 100_000)).toBe(0);
    expect(decidePriorityFee([], 0, 100_000)).toBe(0);
  });

  it("bids more for each transaction that came to nothing, and never more than the cap", () => {
    expect([1, 2, 3].map((attempts) => decidePriorityFee([], attempts, 100_000))).toEqual([10_000, 20_000, 40_000]);
    expect(decidePriorityFee([], 8, 100_000)).toBe(100_000);
    expect(decidePriorityFee([9_999_999], 0, 100_000)).toBe(100_000);
    expect(decidePriorityFee([700], 3, 0)).toBe(0);
  });
});
