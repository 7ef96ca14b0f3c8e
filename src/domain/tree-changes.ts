import { isSameNode, type PathChange, type SparseTree } from "./merkle-tree.ts";

/** A leaf's fields, as Bubblegum V2 logs them. Addresses are base58, hashes 32 bytes. */
export interface AssetLeaf {
  readonly assetId: string;
  /** Bubblegum's nonce of the asset, which is the leaf's place among the leaves. */
  readonly leafIndex: number;
  readonly ownerAddress: string;
  readonly delegateAddress: string;
  readonly dataHash: Uint8Array;
  readonly creatorHash: Uint8Array;
  readonly collectionHash: Uint8Array;
  readonly assetDataHash: Uint8Array;
  /** Bit 0 frozen by the owner's delegate, bit 1 by the collection's, bit 2 not transferable. */
  readonly flags: number;
}

/** A leaf with its proof as somebody else's index tells them: nothing of it is believed before it was held against the tree's account. */
export interface ToldLeaf {
  readonly tree: string;
  readonly leaf: AssetLeaf;
  /** One node a level, from the leaf's sibling up. */
  readonly proof: readonly Uint8Array[];
}

/** A leaf with its proof, checked against the account of its tree. */
export interface LeafProof {
  readonly tree: string;
  /** Levels under the root that the tree's account keeps itself. */
  readonly canopyDepth: number;
  readonly leaf: AssetLeaf;
  readonly leafHash: Uint8Array;
  readonly root: Uint8Array;
  /** One node a level, from the leaf's sibling up; those of the canopy included. */
  readonly proof: readonly Uint8Array[];
  /** Number of the tree's last change when `root` was its root. */
  readonly seq: number;
}

/**
 * Where an asset is. `unclear`: what is known does not reach the tree's account as it is now, so neither owner nor proof can be
 * believed. `isFinal` is false when the leaf may still become what it was before, with a block that is dropped.
 */
export type AssetPlace =
  | { readonly kind: "proven"; readonly proof: LeafProof; readonly isFinal: boolean }
  | { readonly kind: "burnt" }
  | { readonly kind: "unclear" };

/** A change of a tree as the ledger tells it. Changes are numbered without a gap, from 1. */
export interface TreeChange extends PathChange {
  readonly seq: number;
  readonly slot: number;
  readonly signature: string;
  /** What the leaf became; null when it was burnt. */
  readonly leaf: AssetLeaf | null;
}

/** The changes that can be applied next, and whether some are missing before what else was read. */
export interface NextChanges {
  readonly next: readonly TreeChange[];
  /** Number of the first change that was not read although a later one was. */
  readonly missingSeq: number | null;
}

/**
 * Puts changes in order and keeps those that follow `appliedSeq` without a gap. Their own numbers say the order: the order of
 * signatures within a slot is not that of execution, and a node may leave one out.
 */
export function selectNextChanges(appliedSeq: number, changes: readonly TreeChange[]): NextChanges {
  const bySeq = new Map(changes.filter(({ seq }) => seq > appliedSeq).map((change) => [change.seq, change]));
  const next: TreeChange[] = [];
  for (;;) {
    const change = bySeq.get(appliedSeq + next.length + 1);
    if (change === undefined) break;
    next.push(change);
  }
  return { next, missingSeq: next.length < bySeq.size ? appliedSeq + next.length + 1 : null };
}

/**
 * Applies changes to what is known of a tree. Every root is computed here and compared with the one that the chain logged.
 * @param tree must know the nodes that prove each leaf that is changed.
 * @returns `undefined`, or the number of the first change after which the roots differ: then what was known is wrong.
 */
export function applyChanges(tree: SparseTree, changes: readonly TreeChange[]): number | undefined {
  const wrong = changes.find(({ index, path, root }) => {
    const [leaf] = path;
    return leaf === undefined || !isSameNode(tree.set(index, leaf), root);
  });
  return wrong?.seq;
}
