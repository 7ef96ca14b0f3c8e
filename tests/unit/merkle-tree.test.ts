import { keccak_256 } from "@noble/hashes/sha3";
import { describe, expect, it } from "vitest";
import { Random } from "#dev/simulate/random";
import { climb, emptyNode, hashPair, isSameNode, listProofPlaces, renewProof, SparseTree } from "#domain/merkle-tree";
import { selectNextChanges, type TreeChange } from "#domain/tree-changes";

const DEPTH = 5;

/** Every node, the plain way. */
function computeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, at) =>
      hashPair(level[2 * at] ?? emptyNode(0), level[2 * at + 1] ?? emptyNode(0)),
    );
  }
  return level[0] ?? emptyNode(DEPTH);
}

const leafOf = (number: number): Uint8Array => keccak_256(Uint8Array.of(number));

describe("a sparse tree", () => {
  it("has the root of a tree that has every node, and proves each leaf, whatever is changed in whatever order", () => {
    const random = new Random(7);
    const leaves: Uint8Array[] = Array.from({ length: 2 ** DEPTH }, () => emptyNode(0));
    const tree = new SparseTree(DEPTH);
    for (let change = 0; change < 200; change += 1) {
      const index = random.between(0, 2 ** DEPTH - 1);
      const leaf = random.chance(0.2) ? emptyNode(0) : leafOf(change);
      leaves[index] = leaf;
      const root = tree.set(index, leaf);
      expect(isSameNode(root, computeRoot(leaves))).toBe(true);
      const proven = random.between(0, 2 ** DEPTH - 1);
      expect(isSameNode(climb(leaves[proven] ?? leaf, tree.prove(proven), proven).root, root)).toBe(true);
    }
  });

  it("needs no more than the nodes beside the path of the leaf that changes", () => {
    const whole = new SparseTree(DEPTH);
    for (let index = 0; index < 20; index += 1) whole.set(index, leafOf(index));
    const stored = new Map(whole.listChanged().map(({ place, node }) => [place, node]));
    for (let index = 0; index < 2 ** DEPTH; index += 1) {
      const places = listProofPlaces(DEPTH, index);
      const known = new Map([...stored].filter(([place]) => places.includes(place)));
      const part = new SparseTree(DEPTH, known);
      expect(isSameNode(part.set(index, leafOf(99)), new SparseTree(DEPTH, stored).set(index, leafOf(99)))).toBe(true);
    }
  });

  it("keeps a proof good over changes of other leaves", () => {
    const tree = new SparseTree(DEPTH);
    for (let index = 0; index < 2 ** DEPTH; index += 1) tree.set(index, leafOf(index));
    for (let mine = 0; mine < 2 ** DEPTH; mine += 5) {
      let proof: readonly Uint8Array[] = tree.prove(mine);
      for (let other = 0; other < 2 ** DEPTH; other += 1) {
        if (other === mine) continue;
        const { path } = climb(leafOf(100 + other), tree.prove(other), other);
        const root = tree.set(other, leafOf(100 + other));
        proof = renewProof(proof, mine, { index: other, path, root });
        expect(isSameNode(climb(leafOf(mine), proof, mine).root, root)).toBe(true);
      }
      for (let other = 0; other < 2 ** DEPTH; other += 1) tree.set(other, leafOf(other));
    }
  });
});

describe("changes that were read", () => {
  const change = (seq: number): TreeChange => {
    return { seq, slot: 1, signature: `s${seq}`, index: seq, path: [], root: emptyNode(0), leaf: null };
  };
  const select = (applied: number, seqs: readonly number[]) => {
    const { next, missingSeq } = selectNextChanges(applied, seqs.map(change));
    return { next: next.map(({ seq }) => seq), missingSeq };
  };

  it.each([
    ["in order", 3, [4, 5, 6], { next: [4, 5, 6], missingSeq: null }],
    ["out of order and twice", 3, [6, 4, 5, 4], { next: [4, 5, 6], missingSeq: null }],
    ["with those that are stored already", 3, [2, 3, 4], { next: [4], missingSeq: null }],
    ["with one left out", 3, [4, 6, 7], { next: [4], missingSeq: 5 }],
    ["without the first", 3, [5, 6], { next: [], missingSeq: 4 }],
    ["not at all", 3, [], { next: [], missingSeq: null }],
  ])("%s are applied as far as none is missing", (_, applied, seqs, expected) => {
    expect(select(applied, seqs)).toEqual(expected);
  });
});
