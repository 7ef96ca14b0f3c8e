import { findTreeConfigPda, mintV2, setTreeDelegate } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey, some } from "@metaplex-foundation/umi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deriveSigner } from "#chain/derived-signer";
import { buildCreateCollection } from "#chain/event-collection";
import type { RpcClient } from "#chain/rpc-client";
import { setupFeeLamports } from "#chain/send-setup";
import { buildCreateTree, createUmiTreeKeeper } from "#chain/umi-tree-keeper";
import { settle } from "#dev/chain-setup/owner";
import { deriveAddress, provisionCollection, provisionLookupTable, provisionTree } from "#dev/chain-setup/provision-accounts";
import { formatSetupCosts, listSetupCosts } from "#dev/chain-setup/setup-costs";
import type { Localnet } from "#dev/localnet/start-localnet";
import { generateSolanaAddress } from "#dev/secrets";
import { judgeCollection, judgeLookupTable, judgeTree } from "#domain/chain-suitability";
import { TREE_SHAPES } from "#domain/tree-shape";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import { openChain, openParty, type Party } from "../support/node/chain-parties.ts";

const SMALL = { depth: 5, bufferSize: 8, canopyDepth: 0 };
const EVENT = { name: "Nacht der Lichter", uri: "https://t.example/e" };
let purposes = 0;
const newPurpose = (): string => `purpose ${(purposes += 1)}`;

describe.each(CHAIN_MODES)("provisioning on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let chain: Localnet;
  let owner: Party;
  let minter: Party;
  let stranger: Party;

  beforeAll(async () => {
    chain = await openChain(mode);
    [owner, minter, stranger] = await Promise.all([openParty(chain.url), openParty(chain.url), openParty(chain.url)]);
  });
  afterAll(() => chain.close());

  const keeper = () =>
    createUmiTreeKeeper({ rpcUrl: chain.url, walletSecretKey: minter.secretKey, treeAddress: generateSolanaAddress() });
  const countSent = (): number => chain.callCounts.get("sendTransaction") ?? 0;

  function mint(by: Party, tree: string, collection: string) {
    const coreCollection = publicKey(collection);
    const metadata = { name: "T", uri: "u", sellerFeeBasisPoints: 0, creators: [], collection: some(coreCollection) };
    const leafOwner = publicKey(stranger.address);
    return settle(by, mintV2(by.umi, { merkleTree: publicKey(tree), coreCollection, leafOwner, metadata }));
  }

  async function provisionAll() {
    const minterAddress = minter.address;
    const tree = await provisionTree(owner, { purpose: newPurpose(), shape: SMALL, minterAddress });
    const open = await provisionCollection(owner, { ...EVENT, purpose: newPurpose(), minterAddress });
    const frozen = await provisionCollection(owner, { ...EVENT, purpose: newPurpose(), isFrozen: true, minterAddress });
    return { tree: tree.address, open: open.address, frozen: frozen.address };
  }

  it("makes accounts that the minting wallet mints into and does not own", async () => {
    const { tree, open, frozen } = await provisionAll();
    const trees = await keeper();
    expect(await trees.inspectTree(tree)).toEqual({
      ...SMALL,
      mintedCount: 0,
      creatorAddress: owner.address,
      delegateAddress: minter.address,
      isPublic: false,
      isVersion2: true,
    });
    for (const [address, isFrozen] of [
      [open, false],
      [frozen, true],
    ] as const) {
      expect(await trees.inspectCollection(address)).toEqual({
        ownerAddress: owner.address,
        adderAddresses: [owner.address, minter.address],
        takesCompressed: true,
        freezeDelegate: isFrozen ? owner.address : minter.address,
        transferDelegate: minter.address,
        burnDelegate: minter.address,
        isFrozen,
      });
    }
    await mint(minter, tree, open);
    await mint(minter, tree, frozen);
    expect(await trees.inspectTree(tree)).toMatchObject({ mintedCount: 2 });
  });

  it("lets nobody else mint, and does not let the minting wallet appoint another", async () => {
    const { tree, open } = await provisionAll();
    await expect(mint(stranger, tree, open)).rejects.toThrow("6016");
    const [treeConfig] = findTreeConfigPda(minter.umi, { merkleTree: publicKey(tree) });
    const appoint = setTreeDelegate(minter.umi, {
      treeConfig,
      treeCreator: minter.signer,
      newTreeDelegate: publicKey(stranger.address),
      merkleTree: publicKey(tree),
    });
    await expect(settle(minter, appoint)).rejects.toThrow("2001");
    const foreign = await provisionCollection(owner, { ...EVENT, purpose: newPurpose(), minterAddress: stranger.address });
    await expect(mint(minter, tree, foreign.address)).rejects.toThrow("6028");
  });

  it("makes nothing twice, and makes good the step that was missing when it stopped", async () => {
    const purpose = newPurpose();
    const minterAddress = minter.address;
    const tree = await deriveSigner(owner.umi, owner.signer, purpose);
    await settle(owner, await buildCreateTree(owner.umi, tree, SMALL));
    const address: string = tree.publicKey;
    expect(await provisionTree(owner, { purpose, shape: SMALL, minterAddress })).toEqual({ address, isNew: false });
    const before = countSent();
    expect(await provisionTree(owner, { purpose, shape: SMALL, minterAddress })).toEqual({ address, isNew: false });
    expect(countSent()).toBe(before);
    expect(await deriveAddress(owner, purpose)).toBe(address);
    const collection = { ...EVENT, purpose: newPurpose(), minterAddress };
    const made = await provisionCollection(owner, collection);
    expect(await provisionCollection(owner, collection)).toEqual({ ...made, isNew: false });
  });

  it("has no node send its transactions again: who sent them does, until they have landed or can't", async () => {
    const sent: unknown[] = [];
    const call: RpcClient["call"] = (method, params) => {
      if (method === "sendTransaction" && Array.isArray(params)) sent.push(params[1]);
      return owner.rpc.call(method, params);
    };
    const wanted = { ...EVENT, purpose: newPurpose(), minterAddress: minter.address };
    await provisionCollection({ ...owner, rpc: { ...owner.rpc, call } }, wanted);
    expect(sent).not.toEqual([]);
    for (const options of sent) expect(options).toMatchObject({ maxRetries: 0 });
  });

  it("stops at a collection whose delegates are wrong, because they were fixed when it was made", async () => {
    const purpose = newPurpose();
    const collection = await deriveSigner(owner.umi, owner.signer, purpose);
    await settle(owner, buildCreateCollection(owner.umi, collection, EVENT));
    const again = provisionCollection(owner, { ...EVENT, purpose, minterAddress: minter.address });
    await expect(again).rejects.toThrow("PermanentBurnDelegate is not given to");
  });

  it("costs to the lamport what it said before", async () => {
    const balanceOf = async () => (await owner.rpc.call<{ value: number }>("getBalance", [owner.address])).value;
    const shape = TREE_SHAPES[0];
    const lines = await listSetupCosts((bytes) => owner.rpc.call<number>("getMinimumBalanceForRentExemption", [bytes]), {
      shape,
      collections: [{ ...EVENT, what: "collection" }],
      feeLamports: setupFeeLamports(2),
    });
    const before = await balanceOf();
    const tree = await provisionTree(owner, { purpose: newPurpose(), shape, minterAddress: minter.address });
    const made = await provisionCollection(owner, { ...EVENT, purpose: newPurpose(), minterAddress: minter.address });
    await provisionLookupTable(owner, tree.address, [made.address]);
    expect(before - (await balanceOf())).toBe(lines.reduce((sum, { lamports }) => sum + lamports, 0));
    expect(formatSetupCosts(lines, shape)).toContain("takes 992 tickets");
  });

  it.each(TREE_SHAPES)(
    "makes a tree of depth $depth, in one transaction of the Worker too, and its lookup table in another",
    async (shape) => {
      await provisionTree(owner, { purpose: newPurpose(), shape, minterAddress: minter.address });
      const trees = await keeper();
      const name = { tenantId: "tenant", number: shape.depth };
      expect(await trees.openTree(name, shape)).toBe("sent");
      expect(await trees.openTree(name, shape)).toBeNull();
      const address = await trees.deriveTreeAddress(name);
      const found = await trees.inspectTree(address);
      expect(found).toMatchObject({ ...shape, creatorAddress: minter.address });
      expect(judgeTree(found, { walletAddress: minter.address, ticketCount: 900 })).toEqual([]);
      expect(await trees.openLookupTable(address)).toBeNull();
      const table = await trees.openLookupTable(address);
      expect(judgeLookupTable(await trees.inspectLookupTable(table ?? "", address), "p")).toEqual([]);
    },
  );

  it("finds what is wrong with an account that is to be used", async () => {
    const { tree, open, frozen } = await provisionAll();
    const trees = await keeper();
    const nowhere = generateSolanaAddress();
    expect(await trees.inspectTree(nowhere)).toBe("missing");
    expect(await trees.inspectTree(open)).toBe("other");
    expect(await trees.inspectTree("not an address")).toBe("other");
    expect(await trees.inspectCollection(nowhere)).toBe("missing");
    expect(await trees.inspectCollection(tree)).toBe("other");
    const judge = async (address: string, walletAddress: string, isFrozen: boolean) =>
      judgeCollection(await trees.inspectCollection(address), { walletAddress, isFrozen, path: "p" }).map(({ code }) => code);
    expect(await judge(open, minter.address, false)).toEqual([]);
    expect(await judge(frozen, minter.address, true)).toEqual([]);
    expect(await judge(frozen, minter.address, false)).toEqual(["not_delegated", "frozen"]);
    expect(await judge(open, stranger.address, false)).toEqual(Array.from({ length: 4 }, () => "not_delegated"));
    expect(await judge(open, minter.address, true)).toEqual(["not_frozen"]);
    const found = await trees.inspectTree(tree);
    const judgeFor = (walletAddress: string, ticketCount: number) =>
      judgeTree(found, { walletAddress, ticketCount }).map(({ code }) => code);
    expect(judgeFor(minter.address, 32)).toEqual([]);
    expect(judgeFor(minter.address, 33)).toEqual(["too_small"]);
    expect(judgeFor(stranger.address, 1)).toEqual(["not_delegated"]);
  });
});
