import { getAssetWithProof, mplBubblegum } from "@metaplex-foundation/mpl-bubblegum";
import { createBaseUmi, publicKey } from "@metaplex-foundation/umi";
import { defaultProgramRepository } from "@metaplex-foundation/umi-program-repository";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { hashAssetLeaf } from "#chain/leaf-events";
import { createRpcClient } from "#chain/rpc-client";
import type { TreeSource } from "#chain/tree-source";
import type { Faults } from "#dev/localnet/faults";
import { LOCAL_TREE } from "#dev/localnet/provision";
import { generateSolanaAddress } from "#dev/secrets";
import { climb, isSameNode } from "#domain/merkle-tree";
import type { AssetPlace } from "#domain/tree-changes";
import { followTree } from "#services/assets/follow-tree";
import { proveAsset } from "#services/assets/prove-asset";
import { proveByDas } from "#services/assets/prove-by-das";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import { CHAIN_MODES, tellOfMissingPrograms } from "../support/node/chain-modes.ts";
import { PUBLIC_BASE_URL } from "../support/node/mint-world.ts";

const LIES: readonly Faults["das"][] = ["wrong_owner", "wrong_proof", "other_tree", "other_asset"];
/** No node has an index. */
const UNASKED = { das: { findLeaf: () => Promise.resolve(undefined) } };
const NOT_BELIEVED = "what an index says of an asset does not lead to a root of its tree";

tellOfMissingPrograms();

describe.each(CHAIN_MODES)("a node's own index of assets, on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld(mode);
  });

  afterAll(async () => {
    await world.close();
  });

  beforeEach(() => {
    Object.assign(world.localnet.faults, { das: "on", dasBehindSlots: 0 });
    world.logged.length = 0;
  });

  /** Never shows what changed a tree: our index stays where it is. */
  const blind = (): { readonly trees: TreeSource } => ({
    trees: { ...world.chain.trees, listSignatures: () => Promise.resolve([]) },
  });
  const assetOf = async (ticketId: string) => ({ assetId: (await world.findJob(ticketId)).assetId ?? "", tree: world.tree });
  const prove = async (ticketId: string, sinceSeq = 0): Promise<AssetPlace> =>
    proveByDas(world.contextWith(), await assetOf(ticketId), sinceSeq);

  async function follow(): Promise<void> {
    world.localnet.cluster.tick(5);
    await followTree(world.contextWith(), world.tree);
  }

  it("proves what our own index proves, and before that has heard of it", async () => {
    const { ticketId } = await world.mintOne();
    const { assetId } = await assetOf(ticketId);
    expect(await proveAsset(world.contextWith(), assetId, 0)).toEqual({ kind: "unclear" });
    const told = await prove(ticketId);
    await follow();
    expect(told).toEqual({ ...(await proveAsset(world.contextWith(), assetId, 0)), isFinal: false });
    expect(told.kind === "proven" && told.proof.leaf.ownerAddress).toBe(await world.findHolder(ticketId));
  });

  it("says on this chain what Metaplex's own client takes for an asset with its proof", async () => {
    const { ticketId } = await world.mintOne();
    const { assetId, tree } = await assetOf(ticketId);
    const umi = createBaseUmi().use(defaultProgramRepository());
    const rpc = createRpcClient(world.localnet.url);
    // The client reads an answer of its own types, as a call of any node gives it.
    umi.rpc = { ...umi.rpc, call: (method, params) => rpc.call(method, params as Readonly<Record<string, unknown>>) };
    umi.use(mplBubblegum());
    // It hashes the metadata that it was told, and throws if the leaf has another hash.
    const found = await getAssetWithProof(umi as unknown as Parameters<typeof getAssetWithProof>[0], publicKey(assetId)); // mplBubblegum() has added the methods
    expect(found).toMatchObject({ merkleTree: tree, leafOwner: world.minter.walletAddress });
    expect(found.metadata.uri).toBe(`${PUBLIC_BASE_URL}/nft/${ticketId}`);
    const place = await prove(ticketId);
    if (place.kind !== "proven") throw new Error("the asset is to be found");
    const { leaf, proof, root } = place.proof;
    expect(found.index).toBe(leaf.leafIndex);
    expect(found.root).toEqual(root);
    expect(found.proof).toEqual(proof.map((node) => publicKey(node)));
  });

  it("lets a move and a burn go on while our own index has a gap, and nothing does without it", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    for (let delivery = 0; delivery < 3; delivery += 1) await world.deliverAsset(sold, ticketId, { ...blind(), ...UNASKED });
    expect(await world.findMove(ticketId)).toMatchObject({ status: "QUEUED", attempts: 0 });
    await world.drainAssets(sold, [ticketId], 1, blind());
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 1 });
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId], 1, blind());
    expect(await world.findHolder(ticketId)).toBeUndefined();
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT", attempts: 1 });
    await follow();
  });

  /** Lets the index see the chain as it is now. @returns what makes it stay there. */
  async function showIndex(ticketId: string): Promise<() => void> {
    const seenSlot = world.localnet.cluster.slotAt("processed");
    expect((await prove(ticketId)).kind).toBe("proven");
    world.localnet.cluster.tick(1);
    return () => {
      world.localnet.faults.dasBehindSlots = world.localnet.cluster.slotAt("processed") - seenSlot;
    };
  }

  it("is brought up to date where it lags behind changes of other leaves", async () => {
    const { ticketId } = await world.mintOne();
    const holdIndex = await showIndex(ticketId);
    await world.drain(await world.sellTickets(3));
    holdIndex();
    const place = await prove(ticketId);
    if (place.kind !== "proven") throw new Error("the asset is to be found");
    const state = await world.chain.trees.readState(world.tree, LOCAL_TREE);
    expect(isSameNode(place.proof.root, state.root)).toBe(true);
    const { leafHash, proof, leaf } = place.proof;
    expect(isSameNode(climb(leafHash, proof, leaf.leafIndex).root, state.root)).toBe(true);
    await follow();
  });

  it("proves nothing where it lags behind a change of the leaf itself, or of more than the account remembers", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    const holdIndex = await showIndex(ticketId);
    await world.drainAssets(sold, [ticketId], 1, UNASKED);
    holdIndex();
    expect(await prove(ticketId)).toEqual({ kind: "unclear" });
    expect(world.logged).not.toContain(NOT_BELIEVED);
    world.localnet.faults.dasBehindSlots = 0;
    const { ticketId: other } = await world.mintOne();
    const holdAgain = await showIndex(other);
    await world.drain(await world.sellTickets(70));
    holdAgain();
    expect(await prove(other)).toEqual({ kind: "unclear" });
    expect(world.logged).toContain(NOT_BELIEVED);
    await follow();
  });

  it.each(LIES)("is not believed when it tells of a %s, and nothing is signed", async (lie) => {
    const { sold, ticketId } = await world.mintAndPassOn();
    world.localnet.faults.das = lie;
    expect(await prove(ticketId)).toEqual({ kind: "unclear" });
    expect(world.logged).toContain(NOT_BELIEVED);
    for (let delivery = 0; delivery < 3; delivery += 1) await world.deliverAsset(sold, ticketId, blind());
    expect(await world.findMove(ticketId)).toMatchObject({ status: "QUEUED", attempts: 0 });
    world.localnet.faults.das = "on";
    await world.drainAssets(sold, [ticketId], 1, blind());
    await follow();
  });

  it("would be believed in a lie if its proof were not held against the account", async () => {
    const { ticketId } = await world.mintOne();
    world.localnet.faults.das = "wrong_owner";
    const told = await world.chain.das.findLeaf((await assetOf(ticketId)).assetId);
    if (told === undefined) throw new Error("the index answers");
    expect(told.leaf.ownerAddress).not.toBe(await world.findHolder(ticketId));
    // An account that says whatever the index says.
    const { root } = climb(hashAssetLeaf(told.leaf), told.proof, told.leaf.leafIndex);
    const [index, path] = [told.leaf.leafIndex, [hashAssetLeaf(told.leaf)]];
    const state = { seq: 1, root, recent: [{ seq: 1, root, index, path }] };
    const trees: TreeSource = { ...world.chain.trees, readState: () => Promise.resolve(state) };
    const place = await proveByDas(world.contextWith({ trees }), await assetOf(ticketId), 0);
    expect(place.kind).toBe("proven");
  });

  it("does not end a move of an asset that it alone saw arrive: its block may be dropped", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    // Behind the back of the work, which finds the asset where it shall go.
    const place = await prove(ticketId);
    if (place.kind !== "proven") throw new Error("the asset is to be found");
    const { address: collectionAddress } = await world.minter.ensureCollection({ eventId: sold.eventId, name: "", uri: "" });
    const moved = await world.chain.mover.signMove({ proof: place.proof, collectionAddress }, walletAddress, 0);
    expect(await world.chain.mover.send(moved.wireBase64)).toBeNull();
    for (let delivery = 0; delivery < 3; delivery += 1) {
      expect(await world.deliverAsset(sold, ticketId)).toBe("later");
    }
    expect(await world.findMove(ticketId)).toMatchObject({ status: "QUEUED", attempts: 0 });
    world.localnet.cluster.tick(5);
    expect(await world.deliverAsset(sold, ticketId)).toBe("settled");
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 0 });
  });

  it("proves nothing from before a change that must have been seen", async () => {
    const { ticketId } = await world.mintOne();
    const place = await prove(ticketId);
    if (place.kind !== "proven") throw new Error("the asset is to be found");
    expect((await prove(ticketId, place.proof.seq)).kind).toBe("proven");
    expect(await prove(ticketId, place.proof.seq + 1)).toEqual({ kind: "unclear" });
  });

  it("proves nothing of an asset that it does not know, or that is burnt", async () => {
    const unknown = { assetId: generateSolanaAddress(), tree: world.tree };
    expect(await proveByDas(world.contextWith(), unknown, 0)).toEqual({ kind: "unclear" });
    const { sold, ticketId } = await world.mintOne();
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId]);
    expect(await prove(ticketId)).toEqual({ kind: "unclear" });
  });
});
