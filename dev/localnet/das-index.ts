import { getMintV2InstructionDataSerializer, type MetadataArgsV2 } from "@metaplex-foundation/mpl-bubblegum";
import { SparseTree, emptyNode } from "#domain/merkle-tree";
import { BUBBLEGUM_PROGRAM_ID } from "./bubblegum-accounts.ts";
import type { Cluster, LedgerEntry } from "./cluster.ts";
import { hashLeaf, type Leaf } from "./leaf-encoding.ts";
import { encodeBase58, type CompiledInstruction } from "./transaction-encoding.ts";
import { listLeafChanges } from "./tree-reader.ts";

/** A compressed asset as the index knows it. */
export interface IndexedAsset {
  readonly tree: string;
  readonly leafIndex: number;
  /** As it was last; also of a burnt asset. */
  readonly leaf: Leaf;
  /** Number of the tree's change that wrote the leaf last. */
  readonly seq: number;
  readonly isBurnt: boolean;
  readonly metadata: MetadataArgsV2 | undefined;
}

const mintSerializer = getMintV2InstructionDataSerializer();
const MINT_DISCRIMINATOR = mintSerializer
  .serialize({ metadata: { name: "", uri: "", sellerFeeBasisPoints: 0, creators: [], collection: null } })
  .slice(0, 8);

/**
 * An index of the chain's compressed assets, such as nodes keep that offer Metaplex's Digital Asset Standard. It reads the ledger alone,
 * entry by entry and each once, and computes every node of every tree itself.
 */
export class DasIndex {
  readonly #cluster: Cluster;
  readonly #trees = new Map<string, SparseTree>();
  readonly #assets = new Map<string, IndexedAsset>();
  readonly #idsByPlace = new Map<string, string>();
  #readCount = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Reads the ledger up to a slot. What was read stays known, also when the slot lies before it. */
  readUpTo(slot: number): void {
    for (const entry of this.#cluster.listEntriesAfter(this.#readCount)) {
      if (entry.slot > slot) break;
      this.#readCount += 1;
      this.#read(entry);
    }
  }

  find(assetId: string): IndexedAsset | undefined {
    return this.#assets.get(assetId);
  }

  /** Some other asset, of the same tree where it has one. */
  findOther({ tree, leafIndex }: IndexedAsset): IndexedAsset | undefined {
    return [...this.#assets.values()].find((asset) => asset.tree === tree && asset.leafIndex !== leafIndex);
  }

  /** The nodes that prove an asset's leaf, with the root that they give. */
  prove({ tree, leafIndex, leaf, isBurnt }: IndexedAsset): {
    readonly depth: number;
    readonly leafHash: Uint8Array;
    readonly proof: readonly Uint8Array[];
    readonly root: Uint8Array;
  } {
    const nodes = this.#trees.get(tree);
    if (nodes === undefined) throw new Error(`no change of ${tree} was read`);
    return {
      depth: nodes.depth,
      leafHash: isBurnt ? emptyNode(0) : hashLeaf(leaf),
      proof: nodes.prove(leafIndex),
      root: nodes.root,
    };
  }

  #read({ decoded, outcome, slot }: LedgerEntry): void {
    if (decoded === null || outcome.error !== null) return;
    const { message } = decoded;
    const mints = message.instructions
      .filter(({ programAddressIndex }) => message.staticAccounts[programAddressIndex] === BUBBLEGUM_PROGRAM_ID)
      .flatMap(({ data }) =>
        data !== undefined && isMint(data) ? [mintSerializer.deserialize(new Uint8Array(data))[0].metadata] : [],
      );
    const answer = {
      slot,
      transaction: {
        message: { accountKeys: message.staticAccounts, instructions: message.instructions.map(presentInstruction) },
      },
      meta: { err: null, innerInstructions: outcome.inner, loadedAddresses: outcome.loaded },
    };
    for (const { tree, leaf, leafIndex, seq, depth } of listLeafChanges(answer)) {
      const nodes = this.#trees.get(tree) ?? new SparseTree(depth);
      this.#trees.set(tree, nodes);
      nodes.set(leafIndex, leaf === undefined ? emptyNode(0) : hashLeaf(leaf));
      const place = `${tree} ${leafIndex}`;
      const known = this.#assets.get(leaf?.assetId ?? this.#idsByPlace.get(place) ?? "");
      const last = leaf ?? known?.leaf;
      if (last === undefined) continue;
      // A transaction's mints come in the order of its instructions.
      const metadata = known === undefined ? mints.shift() : known.metadata;
      this.#idsByPlace.set(place, last.assetId);
      this.#assets.set(last.assetId, { tree, leafIndex, leaf: last, seq, isBurnt: leaf === undefined, metadata });
    }
  }
}

function presentInstruction({ programAddressIndex, data }: CompiledInstruction) {
  return { programIdIndex: programAddressIndex, data: encodeBase58(data ?? new Uint8Array()) };
}

function isMint(data: Readonly<Uint8Array>): boolean {
  return MINT_DISCRIMINATOR.every((byte, at) => data[at] === byte);
}
