import {
  burnV2,
  findLeafAssetIdPda,
  hashAssetData,
  hashCollection,
  hashMetadataCreators,
  hashMetadataDataV2,
  mintV2,
  transferV2,
} from "@metaplex-foundation/mpl-bubblegum";
import { publicKey, some } from "@metaplex-foundation/umi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settle } from "#dev/chain-setup/owner";
import { provisionCollection, provisionTree } from "#dev/chain-setup/provision-accounts";
import { ConcurrentMerkleTree } from "#dev/localnet/concurrent-merkle-tree";
import { emptyNode } from "#domain/merkle-tree";
import { hashLeaf } from "#dev/localnet/leaf-encoding";
import type { Localnet } from "#dev/localnet/start-localnet";
import { CHAIN_MODES, tellOfMissingPrograms } from "../support/node/chain-modes.ts";
import { openChain, openParty, type Party } from "../support/node/chain-parties.ts";

const DEPTH = 5;

tellOfMissingPrograms();

describe.each(CHAIN_MODES)("a ticket that is not transferable, on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let chain: Localnet;
  let owner: Party;
  let minter: Party;
  let holder: Party;
  let tree: string;

  beforeAll(async () => {
    chain = await openChain(mode);
    [owner, minter, holder] = await Promise.all([openParty(chain.url), openParty(chain.url), openParty(chain.url)]);
  });
  afterAll(() => chain.close());

  /** A new tree with one leaf of the holder's, and what every change of that leaf needs. */
  async function mintOne(isFrozen: boolean) {
    const shape = { depth: DEPTH, bufferSize: 8, canopyDepth: 0 };
    const minterAddress = minter.address;
    tree = (await provisionTree(owner, { purpose: `tree ${isFrozen}`, shape, minterAddress })).address;
    const purpose = `collection ${isFrozen}`;
    const collection = await provisionCollection(owner, { purpose, name: "E", uri: "u", isFrozen, minterAddress });
    const coreCollection = publicKey(collection.address);
    const merkleTree = publicKey(tree);
    const metadata = { name: "T", uri: "u", sellerFeeBasisPoints: 0, creators: [], collection: some(coreCollection) };
    const leafOwner = publicKey(holder.address);
    await settle(minter, mintV2(minter.umi, { merkleTree, coreCollection, leafOwner, metadata }));
    const hashes = { dataHash: hashMetadataDataV2(metadata), creatorHash: hashMetadataCreators([]) };
    const proof = Array.from({ length: DEPTH }, (_, height) => publicKey(emptyNode(height)));
    return { merkleTree, coreCollection, leafOwner, ...hashes, nonce: 0, index: 0, proof };
  }

  const readRoot = (): Uint8Array => new ConcurrentMerkleTree(chain.cluster.findAccount(tree)?.data ?? new Uint8Array()).root;
  type Leaf = Awaited<ReturnType<typeof mintOne>>;
  const move = (by: Party, leaf: Leaf, to: string) =>
    settle(by, transferV2(by.umi, { ...leaf, root: readRoot(), newLeafOwner: publicKey(to) }));
  const burn = (by: Party, leaf: Leaf) => settle(by, burnV2(by.umi, { ...leaf, root: readRoot() }));

  it("can be neither moved nor burnt by its owner from its first block on, and can by the minting wallet", async () => {
    const leaf = await mintOne(true);
    await expect(move(holder, leaf, owner.address)).rejects.toThrow("6048");
    await expect(burn(holder, leaf)).rejects.toThrow("6048");
    await move(minter, leaf, owner.address);
    const moved = { ...leaf, leafOwner: publicKey(owner.address) };
    expect(readRoot()).toEqual(rootOf(moved));
    await burn(minter, moved);
    expect(readRoot()).toEqual(emptyNode(DEPTH));
  });

  it("is not what other tickets are: their owner may give them away", async () => {
    const leaf = await mintOne(false);
    await move(holder, leaf, owner.address);
    expect(readRoot()).toEqual(rootOf({ ...leaf, leafOwner: publicKey(owner.address) }));
  });

  function rootOf({ merkleTree, coreCollection, leafOwner, dataHash, creatorHash }: Leaf): Uint8Array {
    const [assetId] = findLeafAssetIdPda(owner.umi, { merkleTree, leafIndex: 0 });
    const fields = { assetId, owner: leafOwner, delegate: leafOwner, nonce: 0n, dataHash, creatorHash, flags: 0 };
    const hashes = { collectionHash: hashCollection(coreCollection), assetDataHash: hashAssetData(undefined) };
    const account = new Uint8Array(chain.cluster.findAccount(tree)?.data ?? []);
    const empty = ConcurrentMerkleTree.initialize(account.fill(0), {
      depth: DEPTH,
      bufferSize: 8,
      authority: new Uint8Array(32),
      slot: 0n,
    });
    empty.append(hashLeaf({ ...fields, ...hashes }));
    return empty.root;
  }
});
