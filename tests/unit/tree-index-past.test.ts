import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAssetChain } from "#chain/asset-mover";
import { resetFollowedTree } from "#storage/tree-index";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import { watchTree } from "../support/node/followed-tree.ts";

describe("the index of a tree whose past is read late", { timeout: 120_000 }, () => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld("emulator");
  });

  afterAll(async () => {
    await world.close();
  });

  const { findTree, readState, prove, expectRootOfChain, follow } = watchTree(() => world);

  it("reads from another node what the first one has pruned or can't show", async () => {
    const [pruned, behind] = [await world.sellTickets(2), await world.sellTickets(2)];
    await world.drain(pruned);
    world.localnet.cluster.tick(1);
    const firstSlot = world.localnet.cluster.slotAt("processed");
    await world.drain(behind);
    const spare = await world.localnet.openNode();
    const { walletSecretKey, localnet } = world;
    const two = await createAssetChain({ rpcUrl: `${localnet.url},${spare.url}`, walletSecretKey });
    world.logged.length = 0;
    localnet.faults.firstSlot = firstSlot;
    await follow();
    expect(world.logged).toContain("a change of a tree was not read");
    expect((await findTree())?.seq).toBeLessThan((await readState()).seq);
    world.logged.length = 0;
    await follow({ trees: two.trees });
    expect(world.logged).toEqual([]);
    await expectRootOfChain();
    // Listed by one node, shown by the other.
    const [signature = ""] = await two.trees.listLeftOut(world.tree, 0, []);
    expect(await world.chain.trees.readChanges(world.tree, signature)).toBeUndefined();
    expect(await two.trees.readChanges(world.tree, signature)).not.toBeUndefined();
    spare.faults.isDark = true;
    expect(await two.trees.listLeftOut(world.tree, 0, [])).toEqual([]);
    expect(await two.trees.readChanges(world.tree, signature)).toBeUndefined();
    localnet.faults.firstSlot = 0;
  });

  it("knows of an asset that it is burnt, also when it reads of mint and burn at once", async () => {
    const { sold, ticketId } = await world.mintOne();
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId]);
    await follow();
    expect(await prove(ticketId)).toEqual({ kind: "burnt" });
    const tree = await findTree();
    if (tree === undefined) throw new Error("the tree is followed");
    await resetFollowedTree(world.d1, tree, Date.now());
    await follow();
    await expectRootOfChain();
    expect(await prove(ticketId)).toEqual({ kind: "burnt" });
  });
});
