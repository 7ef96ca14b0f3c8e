import {
  burnV2,
  createTreeV2,
  findLeafAssetIdPda,
  findTreeConfigPda,
  hashAssetData,
  hashCollection,
  hashMetadataCreators,
  hashMetadataDataV2,
  mintV2,
  transferV2,
} from "@metaplex-foundation/mpl-bubblegum";
import { createCollection } from "@metaplex-foundation/mpl-core";
import { generateSigner, publicKey, some, type KeypairSigner, type PublicKey } from "@metaplex-foundation/umi";
import { beforeAll, describe, expect, it } from "vitest";
import { buildCreateCollection } from "#chain/event-collection";
import { hashLeaf, type Leaf } from "#dev/localnet/leaf-encoding";
import { Random } from "#dev/simulate/random";
import { SparseTree } from "#domain/merkle-tree";
import { HAS_PROGRAMS } from "../support/node/chain-modes.ts";
import { TwinChains } from "../support/node/twin-chains.ts";

it.skipIf(HAS_PROGRAMS)("NOT COMPARED with the real programs: npm run chain:programs downloads them", ({ skip }) => {
  skip();
});

const EMPTY_LEAF = new Uint8Array(32);

/** A tree on both chains and what must be in it, with proofs as they were at earlier times. */
class ModelTree {
  readonly leaves = new Map<number, Leaf>();
  readonly watched: readonly PublicKey[];
  #mintedCount = 0;
  readonly #chains: TwinChains;
  readonly #tree: KeypairSigner;
  readonly #collection: PublicKey;
  readonly #shape: Shape;
  readonly #nodes: SparseTree;
  #root: Uint8Array;

  constructor(chains: TwinChains, collection: PublicKey, shape: Shape) {
    this.#chains = chains;
    this.#collection = collection;
    this.#shape = shape;
    this.#tree = generateSigner(chains.umi);
    this.#nodes = new SparseTree(shape.depth);
    this.#root = this.#nodes.set(0, EMPTY_LEAF);
    const [config] = findTreeConfigPda(chains.umi, { merkleTree: this.#tree.publicKey });
    this.watched = [this.#tree.publicKey, config, collection];
  }

  async create(): Promise<void> {
    const { depth, buffer, canopy } = this.#shape;
    const shape = { maxDepth: depth, maxBufferSize: buffer, canopyDepth: canopy };
    const work = await createTreeV2(this.#chains.umi, { merkleTree: this.#tree, ...shape });
    expect(await this.#chains.run(work, this.watched)).toBeNull();
  }

  async mint(number: number, owner: PublicKey): Promise<void> {
    const index = this.#mintedCount;
    const metadata = {
      name: `T${number}`,
      uri: `https://t.example/${number}`,
      sellerFeeBasisPoints: 0,
      creators: [],
      collection: some(this.#collection),
    };
    const merkleTree = this.#tree.publicKey;
    const work = mintV2(this.#chains.umi, { merkleTree, coreCollection: this.#collection, leafOwner: owner, metadata });
    expect(await this.#chains.run(work, this.watched)).toBeNull();
    this.#mintedCount += 1;
    this.put(index, {
      assetId: findLeafAssetIdPda(this.#chains.umi, { merkleTree, leafIndex: index })[0],
      owner,
      delegate: owner,
      nonce: BigInt(index),
      dataHash: hashMetadataDataV2(metadata),
      creatorHash: hashMetadataCreators([]),
      collectionHash: hashCollection(this.#collection),
      assetDataHash: hashAssetData(undefined),
      flags: 0,
    });
  }

  put(index: number, leaf: Leaf | undefined): void {
    this.#root = this.#nodes.set(index, leaf === undefined ? EMPTY_LEAF : hashLeaf(leaf));
    if (leaf === undefined) this.leaves.delete(index);
    else this.leaves.set(index, leaf);
  }

  /** What transferV2 and burnV2 are told of a leaf, as it is now. */
  argsOf(index: number, leaf: Leaf) {
    const proof = this.#nodes.prove(index).slice(0, this.#shape.depth - this.#shape.canopy);
    return {
      merkleTree: this.#tree.publicKey,
      coreCollection: this.#collection,
      leafOwner: publicKey(leaf.owner),
      leafDelegate: publicKey(leaf.delegate),
      root: this.#root,
      dataHash: leaf.dataHash,
      creatorHash: leaf.creatorHash,
      assetDataHash: leaf.assetDataHash,
      flags: leaf.flags,
      nonce: leaf.nonce,
      index,
      proof: proof.map((node) => publicKey(node)),
    };
  }
}

interface Shape {
  readonly depth: number;
  readonly buffer: number;
  readonly canopy: number;
}

describe.skipIf(!HAS_PROGRAMS)("moving and burning on the emulator against the real programs", { timeout: 300_000 }, () => {
  let chains: TwinChains;
  let collection: KeypairSigner;
  let owners: KeypairSigner[];

  beforeAll(async () => {
    chains = await TwinChains.open();
    collection = generateSigner(chains.umi);
    owners = [0, 1, 2].map(() => generateSigner(chains.umi));
    const work = buildCreateCollection(chains.umi, collection, { name: "Event", uri: "https://t.example/c" });
    expect(await chains.run(work, [collection.publicKey])).toBeNull();
  });

  const SHAPES = [
    { depth: 3, buffer: 8, canopy: 0, operations: 60 },
    { depth: 5, buffer: 8, canopy: 2, operations: 160 },
    { depth: 14, buffer: 64, canopy: 8, operations: 160 },
  ];

  it.each(SHAPES)("leaves the same bytes, events, lamports and errors: $depth/$buffer/$canopy", async (shape) => {
    const random = new Random(shape.depth);
    const tree = new ModelTree(chains, collection.publicKey, shape);
    await tree.create();
    const stale: { index: number; args: ReturnType<ModelTree["argsOf"]> }[] = [];
    let [minted, done, refused] = [0, 0, 0];
    for (let operation = 0; operation < shape.operations; operation += 1) {
      const live = [...tree.leaves];
      if (live.length < 2 || (random.chance(0.3) && minted < 2 ** shape.depth)) {
        if (minted === 2 ** shape.depth) break;
        await tree.mint(operation, random.pick(owners).publicKey);
        minted += 1;
        continue;
      }
      const [index, leaf] = random.pick(live);
      if (random.chance(0.3)) stale.push({ index, args: tree.argsOf(index, leaf) });
      const old = random.chance(0.3) && stale.length > 0 ? random.pick(stale) : undefined;
      const asked = old ?? { index, args: tree.argsOf(index, leaf) };
      const authority = signerFor(random, asked.args.leafOwner);
      const burns = random.chance(0.3);
      const newLeafOwner = random.pick(owners).publicKey;
      const work = burns
        ? burnV2(chains.umi, { ...asked.args, ...authority })
        : transferV2(chains.umi, { ...asked.args, ...authority, newLeafOwner });
      const error = await chains.run(work, tree.watched);
      if (error === null) {
        const before = tree.leaves.get(asked.index);
        expect(before).toBeDefined();
        const moved = before === undefined ? undefined : { ...before, owner: newLeafOwner, delegate: newLeafOwner };
        tree.put(asked.index, burns ? undefined : moved);
        done += 1;
      } else refused += 1;
    }
    // Both ways must have been gone, or nothing was compared.
    expect(done).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(2);
  });

  /** The collection's delegate, the owner, or somebody who may not. */
  function signerFor(random: Random, owner: PublicKey) {
    const chosen = random.chance(0.6) ? undefined : random.pick(owners);
    if (chosen === undefined) return {};
    return { authority: random.chance(0.5) ? chosen : (owners.find((each) => each.publicKey === owner) ?? chosen) };
  }

  it("refuses the delegate of a collection that has no permanent delegates", async () => {
    const bare = generateSigner(chains.umi);
    const work = createCollection(chains.umi, {
      collection: bare,
      name: "Bare",
      uri: "u",
      plugins: [{ type: "BubblegumV2" }],
    });
    expect(await chains.run(work, [bare.publicKey])).toBeNull();
    const [owner] = owners;
    if (owner === undefined) throw new Error("there are owners");
    const tree = new ModelTree(chains, bare.publicKey, { depth: 5, buffer: 8, canopy: 0 });
    await tree.create();
    await tree.mint(1, owner.publicKey);
    const leaf = tree.leaves.get(0);
    if (leaf === undefined) throw new Error("a leaf was minted");
    const args = tree.argsOf(0, leaf);
    expect(await chains.run(burnV2(chains.umi, args), tree.watched)).not.toBeNull();
    const newLeafOwner = chains.wallet;
    expect(await chains.run(transferV2(chains.umi, { ...args, newLeafOwner }), tree.watched)).not.toBeNull();
    expect(await chains.run(transferV2(chains.umi, { ...args, newLeafOwner, authority: owner }), tree.watched)).toBeNull();
  });
});
