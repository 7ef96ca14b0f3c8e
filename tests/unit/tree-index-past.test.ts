import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAssetChain } from "#chain/asset-mover";
import { followTree } from "#services/assets/follow-tree";
import { proveAsset } from "#services/assets/prove-asset";
import { merkleTrees, treeNodes } from "#storage/schema";
import { resetFollowedTree } from "#storage/tree-index";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";

describe("the index of a tree whose past is read late", { timeout: 120_000 }, () => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld("emulator");
  });

  afterAll(async () => {
    await world.close();
  });

  const findTree = () => world.db.select().from(merkleTrees).where(eq(merkleTrees.address, world.tree)).get();
  const readState = async () => world.chain.trees.readState(world.tree, { depth: 14, bufferSize: 64, canopyDepth: 8 });
  const prove = async (ticketId: string) => proveAsset(world.contextWith(), (await world.findJob(ticketId)).assetId ?? "", 0);

  async function expectRootOfChain(): Promise<void> {
    const [tree, state] = [await findTree(), await readState()];
    expect(tree?.seq).toBe(state.seq);
    const root = await world.db.select().from(treeNodes).where(eq(treeNodes.place, 1)).get();
    expect(root?.hash).toBe(Buffer.from(state.root).toString("hex"));
  }

  async function follow(change: Parameters<AssetWorld["contextWith"]>[0] = {}): Promise<void> {
    world.localnet.cluster.tick(5);
    await followTree(world.contextWith(change), world.tree);
  }

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
