import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AssetMover, ProvenAsset } from "#chain/asset-mover";
import { LOCAL_TREE } from "#dev/localnet/provision";
import { generateSolanaAddress } from "#dev/secrets";
import { followTree } from "#services/assets/follow-tree";
import { proveAsset } from "#services/assets/prove-asset";
import { CHAIN_MODES, tellOfMissingPrograms } from "../support/node/chain-modes.ts";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";

const FINALITY_LAG_SLOTS = 4;
const BLOCKHASH_LIFE = 150;

tellOfMissingPrograms();

describe.each(CHAIN_MODES)("assets that follow their tickets on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld(mode, FINALITY_LAG_SLOTS);
    expect(world.localnet.mode).toBe(mode);
  });

  afterAll(async () => {
    await world.close();
  });

  beforeEach(() => {
    Object.assign(world.localnet.faults, { drop: 0, delaySlots: 0, answers: [] });
  });

  it("moves the asset to the new owner's wallet, back to the service's, and burns it with its ticket", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
    await world.passOn(sold, ticketId, null);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBeUndefined();
    expect((await world.listMoves(ticketId)).map(({ status }) => status)).toEqual(["MOVED", "MOVED"]);
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT", attempts: 1, lastError: null });
  });

  it("brings an asset to the last of several owners who came while nothing was moved", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    await world.passOn(sold, ticketId, generateSolanaAddress());
    const last = generateSolanaAddress();
    await world.passOn(sold, ticketId, last);
    await world.drainAssets(sold, [ticketId], 3);
    expect(await world.findHolder(ticketId)).toBe(last);
    const moves = await world.listMoves(ticketId);
    expect(moves.map(({ status }) => status)).toEqual(["MOVED", "MOVED", "MOVED"]);
    expect(moves.map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
  });

  it("takes a later move up only when the transaction of the earlier one is final", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    await world.submitFirst(sold, ticketId, () => (world.localnet.faults.delaySlots = 6));
    world.localnet.faults.delaySlots = 0;
    // Back to where the asset still is: by an index that is a moment old, this move would have nothing to do.
    await world.passOn(sold, ticketId, null);
    await world.deliverAsset(sold, ticketId);
    expect((await world.listMoves(ticketId)).map(({ status }) => status)).toEqual(["SUBMITTED", "QUEUED"]);
    await world.drainAssets(sold, [ticketId]);
    expect((await world.listMoves(ticketId)).map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
  });

  it("never decides a later move on a leaf as it was before the earlier one", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    world.localnet.cluster.tick(FINALITY_LAG_SLOTS);
    await followTree(world.contextWith(), world.tree);
    const { trees } = world.chain;
    const before = await trees.readState(world.tree, LOCAL_TREE);
    await world.submitFirst(sold, ticketId, () => undefined);
    await world.passOn(sold, ticketId, null);
    world.localnet.cluster.tick(FINALITY_LAG_SLOTS);
    // Nodes of which one is behind: the earlier move is seen as final, and the tree as it was before it.
    const behind = { ...trees, listSignatures: () => Promise.resolve([]), readState: () => Promise.resolve(before) };
    for (let delivery = 0; delivery < 3; delivery += 1) await world.deliverAsset(sold, ticketId, { trees: behind });
    expect((await world.listMoves(ticketId)).map(({ status }) => status)).toEqual(["MOVED", "QUEUED"]);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
  });

  it("sends the same bytes again when the node accepted a transaction and lost it", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    await world.submitFirst(sold, ticketId, () => (world.localnet.faults.drop = 2));
    const { signature } = await world.findMove(ticketId);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", signature, attempts: 1 });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("believes the chain, not the answer, when a transaction lands and the node answers 504", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    await world.submitFirst(sold, ticketId, () => (world.localnet.faults.answers = ["land_then_504"]));
    await world.drainAssets(sold, [ticketId], 3);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 1 });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("sends what was stored when the Worker dies between storing a signature and sending it", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    const dying: AssetMover = { ...world.chain.mover, send: () => Promise.reject(new Error("the isolate is gone")) };
    await expect(world.deliverAsset(sold, ticketId, { mover: dying })).rejects.toThrow("the isolate is gone");
    expect(await world.findMove(ticketId)).toMatchObject({ status: "SUBMITTED", attempts: 1 });
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 1 });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("stores one signature when a message is delivered four times at the same instant", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    await followTree(world.contextWith(), world.tree);
    const signatures = new Set<string>();
    const mover: AssetMover = {
      ...world.chain.mover,
      async signMove(asset: ProvenAsset, toAddress: string, attempts: number) {
        const signed = await world.chain.mover.signMove(asset, toAddress, attempts);
        // Another slot, so another blockhash: the bytes of those who race differ.
        world.localnet.cluster.tick(1);
        signatures.add(signed.signature);
        return signed;
      },
    };
    await Promise.all([1, 2, 3, 4].map(() => world.deliverAsset(sold, ticketId, { mover })));
    expect(signatures.size).toBeGreaterThan(1);
    expect((await world.findMove(ticketId)).attempts).toBe(1);
    await world.drainAssets(sold, [ticketId], 4, { mover });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("signs anew with a fresh proof when the tree has changed too much since, and not while that may still land", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    await world.submitFirst(sold, ticketId, () => (world.localnet.faults.delaySlots = 40));
    world.localnet.faults.delaySlots = 0;
    const first = await world.findMove(ticketId);
    // More changes than the tree's account remembers: the delayed transaction comes with a root that nobody knows.
    await world.drain(await world.sellTickets(70));
    world.localnet.cluster.tick(40);
    await world.deliverAsset(sold, ticketId);
    const second = await world.findMove(ticketId);
    expect(second.lastError).toContain("failed on chain");
    expect(second.lastError).toContain("ProgramFailedToComplete");
    expect(second.signature).not.toBe(first.signature);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 2 });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("signs again only when the blockhash is past the finalized height", async () => {
    const { sold, ticketId, walletAddress } = await world.mintAndPassOn();
    await world.submitFirst(sold, ticketId, () => (world.localnet.faults.drop = Number.MAX_SAFE_INTEGER));
    const first = await world.findMove(ticketId);
    world.localnet.cluster.tick(BLOCKHASH_LIFE + FINALITY_LAG_SLOTS);
    await world.deliverAsset(sold, ticketId);
    expect(await world.findMove(ticketId)).toMatchObject({ signature: first.signature, attempts: 1 });
    world.localnet.cluster.tick(1);
    world.localnet.faults.drop = 0;
    await world.deliverAsset(sold, ticketId);
    expect(await world.findMove(ticketId)).toMatchObject({ attempts: 2, lastError: "expired without landing" });
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("finds an asset that its owner moved by themselves, and brings it to the ticket's owner all the same", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    await world.drainAssets(sold, [ticketId]);
    world.localnet.cluster.tick(5);
    await followTree(world.contextWith(), world.tree);
    const { assetId } = await world.findJob(ticketId);
    const place = await proveAsset(world.contextWith(), assetId ?? "", 0);
    if (place.kind !== "proven") throw new Error("the asset is to be found");
    const { address: collectionAddress } = await world.minter.ensureCollection({ eventId: sold.eventId, name: "", uri: "" });
    const elsewhere = generateSolanaAddress();
    const outside = await world.chain.mover.signMove({ proof: place.proof, collectionAddress }, elsewhere, 0);
    expect(await world.chain.mover.send(outside.wireBase64)).toBeNull();
    expect(await world.findHolder(ticketId)).toBe(elsewhere);
    await world.passOn(sold, ticketId, null);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
  });

  it("ends with every asset where its ticket is, under drops, delays, refusals, lost answers and duplicates together", async () => {
    const sold = await world.sellTickets(5);
    await world.drain(sold);
    const wallets = sold.ticketIds.map((_, index) => (index % 3 === 0 ? null : generateSolanaAddress()));
    const { faults } = world.localnet;
    for (const [index, ticketId] of sold.ticketIds.entries()) {
      await world.passOn(sold, ticketId, generateSolanaAddress());
      if (index % 2 === 0) await world.deliverAsset(sold, ticketId);
      await world.passOn(sold, ticketId, wallets[index] ?? null);
    }
    const burnt = sold.ticketIds.slice(0, 2);
    faults.answers = ["land_then_504", 500, "ok", 429, "land_then_504", 503, "ok", "ok", 502, "land_then_504", 504, "ok"];
    faults.drop = 2;
    faults.delaySlots = 3;
    for (const ticketId of burnt) await world.cancel(sold, ticketId);
    await world.drainAssets(sold, sold.ticketIds, 3);
    const holders = await Promise.all(sold.ticketIds.map((ticketId) => world.findHolder(ticketId)));
    const expected = wallets.map((wallet, index) => (index < 2 ? undefined : (wallet ?? world.minter.walletAddress)));
    expect(holders).toEqual(expected);
  });
});
