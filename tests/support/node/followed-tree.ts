import { eq } from "drizzle-orm";
import { expect } from "vitest";
import type { TreeState } from "#chain/tree-account";
import { LOCAL_TREE } from "#dev/localnet/provision";
import type { AssetPlace } from "#domain/tree-changes";
import { followTree } from "#services/assets/follow-tree";
import { proveAsset } from "#services/assets/prove-asset";
import { merkleTrees, treeNodes } from "#storage/schema";
import type { AssetWorld } from "./asset-world.ts";

/** A world's tree, as D1 has followed it and as the chain has it. */
export interface FollowedTreeInWorld {
  readonly findTree: () => Promise<typeof merkleTrees.$inferSelect | undefined>;
  /** The tree's account. */
  readonly readState: () => Promise<TreeState>;
  /** Where the asset of a minted ticket is, by what is stored. */
  readonly prove: (ticketId: string) => Promise<AssetPlace>;
  /** Fails unless D1 is at the account's last change and has its root. */
  readonly expectRootOfChain: () => Promise<void>;
  /** Follows the tree until all that is final is stored. */
  readonly follow: (change?: Parameters<AssetWorld["contextWith"]>[0]) => Promise<void>;
}

/** @param worldOf is asked at each call: tests open their world later than they name this. */
export function watchTree(worldOf: () => AssetWorld): FollowedTreeInWorld {
  const watched: FollowedTreeInWorld = {
    findTree() {
      const { db, tree } = worldOf();
      return db.select().from(merkleTrees).where(eq(merkleTrees.address, tree)).get();
    },
    readState: () => worldOf().chain.trees.readState(worldOf().tree, LOCAL_TREE),
    async prove(ticketId) {
      const { assetId } = await worldOf().findJob(ticketId);
      return proveAsset(worldOf().contextWith(), assetId ?? "", 0);
    },
    async expectRootOfChain() {
      const [tree, state] = [await watched.findTree(), await watched.readState()];
      expect(tree?.seq).toBe(state.seq);
      const root = await worldOf().db.select().from(treeNodes).where(eq(treeNodes.place, 1)).get();
      expect(root?.hash).toBe(Buffer.from(state.root).toString("hex"));
    },
    async follow(change) {
      const world = worldOf();
      world.localnet.cluster.tick(5);
      await followTree(world.contextWith(change), world.tree);
    },
  };
  return watched;
}
