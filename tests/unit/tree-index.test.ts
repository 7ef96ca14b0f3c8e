import { eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TreeSource } from "#chain/tree-source";
import { generateSolanaAddress } from "#dev/secrets";
import { climb, isSameNode, listProofPlaces } from "#domain/merkle-tree";
import { followTree } from "#services/assets/follow-tree";
import { treeLeaves } from "#storage/schema";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import { watchTree } from "../support/node/followed-tree.ts";

describe("the index of a tree", { timeout: 120_000 }, () => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld("emulator");
  });

  afterAll(async () => {
    await world.close();
  });

  const { findTree, readState, prove, expectRootOfChain, follow } = watchTree(() => world);
  const findAssetId = async (ticketId: string): Promise<string> => (await world.findJob(ticketId)).assetId ?? "";

  it("computes the root that the chain has after mints, moves and burns, and proves every leaf under it", async () => {
    const sold = await world.sellTickets(6);
    await world.drain(sold);
    await follow();
    await expectRootOfChain();
    const [moved = "", burnt = "", ...rest] = sold.ticketIds;
    await world.passOn(sold, moved, generateSolanaAddress());
    await world.cancel(sold, burnt);
    await world.drainAssets(sold, [moved, burnt]);
    await follow();
    await expectRootOfChain();
    for (const ticketId of [moved, ...rest]) {
      const place = await prove(ticketId);
      if (place.kind !== "proven") throw new Error(`${ticketId} is ${place.kind}`);
      const { leafHash, proof, leaf, root } = place.proof;
      expect(isSameNode(climb(leafHash, proof, leaf.leafIndex).root, root)).toBe(true);
      expect(isSameNode(root, (await readState()).root)).toBe(true);
      expect(leaf.ownerAddress).toBe(await world.findHolder(ticketId));
    }
    expect(await prove(burnt)).toEqual({ kind: "burnt" });
  });

  it("holds a proof good while other leaves change, and unclear as soon as its own has changed", async () => {
    const { sold, ticketId } = await world.mintOne();
    await follow();
    const others = await world.sellTickets(3);
    await world.drain(others);
    // What is stored is older than the account now.
    expect((await findTree())?.seq).toBeLessThan((await readState()).seq);
    const place = await prove(ticketId);
    expect(place.kind === "proven" && isSameNode(place.proof.root, (await readState()).root)).toBe(true);
    await world.passOn(sold, ticketId, generateSolanaAddress());
    for (let delivery = 0; delivery < 2; delivery += 1) await world.deliverAsset(sold, ticketId);
    world.localnet.cluster.tick(1);
    expect(await prove(ticketId)).toEqual({ kind: "unclear" });
    await follow();
    expect((await prove(ticketId)).kind).toBe("proven");
    await world.drainAssets(sold, [ticketId]);
  });

  it("notices a change that a node leaves out, skips nothing behind it, and goes on when it is shown", async () => {
    await follow();
    const before = (await findTree())?.seq ?? 0;
    // Two transactions: the tickets of one sale share theirs.
    const [sold, behind] = [await world.sellTickets(2), await world.sellTickets(2)];
    await world.drain(sold);
    await world.drain(behind);
    const hidden = (await world.findJob(sold.ticketIds[1] ?? "")).signature;
    const { trees } = world.chain;
    const forgetful: TreeSource = {
      ...trees,
      listSignatures: async (tree, since) => (await trees.listSignatures(tree, since)).filter((each) => each !== hidden),
    };
    world.logged.length = 0;
    await follow({ trees: forgetful });
    const seen = await findTree();
    const hiddenSeq = (await trees.readChanges(world.tree, hidden ?? ""))?.[0]?.seq ?? 0;
    expect(seen?.seq).toBe(hiddenSeq - 1);
    expect(hiddenSeq).toBeGreaterThan(before);
    expect(world.logged).toContain("a change of a tree was not read");
    await follow();
    await expectRootOfChain();
  });

  describe("behind 500 transactions of strangers that only name the tree", () => {
    const strangers = Array.from({ length: 500 }, (_, at) => `stranger-${at}`);
    let sold: Awaited<ReturnType<AssetWorld["sellTickets"]>>;

    /** The node as it is, with those transactions before the first that is new. */
    function listBehindStrangers(hidden: readonly string[] = []): TreeSource {
      const { trees } = world.chain;
      return {
        ...trees,
        async listSignatures(tree, since) {
          const all = await trees.listSignatures(tree, since);
          const fresh = all.indexOf((await world.findJob(sold.ticketIds[0] ?? "")).signature ?? "");
          return [...all.slice(0, fresh), ...strangers, ...all.slice(fresh)].filter((each) => !hidden.includes(each));
        },
        readChanges: async (tree, signature) => (strangers.includes(signature) ? [] : trees.readChanges(tree, signature)),
      };
    }

    async function followToTheEnd(trees: TreeSource): Promise<void> {
      for (let run = 0; run < 10; run += 1) if (!(await followTree(world.contextWith({ trees }), world.tree))) return;
      throw new Error("there is always more");
    }

    beforeEach(async () => {
      await follow();
      sold = await world.sellTickets(2);
      await world.drain(sold);
      world.localnet.cluster.tick(5);
    });

    it("reaches the change", async () => {
      await followToTheEnd(listBehindStrangers());
      await expectRootOfChain();
      expect((await findTree())?.passedSignature).toBeNull();
    });

    it("reaches the change when the node shows it only after those behind it", async () => {
      const behind = await world.sellTickets(2);
      await world.drain(behind);
      world.localnet.cluster.tick(5);
      const hidden = (await world.findJob(sold.ticketIds[0] ?? "")).signature ?? "";
      await followToTheEnd(listBehindStrangers([hidden]));
      await followToTheEnd(listBehindStrangers());
      await expectRootOfChain();
    });

    it("reaches the change when the next node does not list what was passed over", async () => {
      await followTree(world.contextWith({ trees: listBehindStrangers() }), world.tree);
      expect((await findTree())?.passedSignature).toBe("stranger-148");
      await followToTheEnd(listBehindStrangers(["stranger-148"]));
      await expectRootOfChain();
    });
  });

  it("waits at a transaction that the node lists and can't show yet", async () => {
    const sold = await world.sellTickets(2);
    await world.drain(sold);
    const { trees } = world.chain;
    await follow({ trees: { ...trees, readChanges: () => Promise.resolve(undefined) } });
    expect((await findTree())?.seq).toBeLessThan((await readState()).seq);
    await follow();
    await expectRootOfChain();
  });

  it("puts changes in the order of their numbers, whatever the order of their signatures", async () => {
    const sold = await world.sellTickets(5);
    await world.drain(sold);
    const { trees } = world.chain;
    const shuffled = async (tree: string, since: number) => (await trees.listSignatures(tree, since)).toReversed();
    await follow({ trees: { ...trees, listSignatures: shuffled } });
    await expectRootOfChain();
  });

  it("stores changes once when several read them at the same time", async () => {
    const sold = await world.sellTickets(5);
    await world.drain(sold);
    world.localnet.cluster.tick(5);
    await Promise.all([1, 2, 3, 4].map(() => followTree(world.contextWith(), world.tree)));
    await expectRootOfChain();
    const leaves = await world.db.select().from(treeLeaves);
    expect(new Set(leaves.map(({ leafIndex }) => leafIndex)).size).toBe(leaves.length);
  });

  it("raises no alarm about a tree that another run has taken further meanwhile", async () => {
    await follow();
    const { trees } = world.chain;
    const takeFurther = async (): Promise<void> => {
      await world.mintOne();
      await follow();
    };
    world.logged.length = 0;
    const overtakenAtRest: TreeSource = {
      ...trees,
      readState: async (tree, shape) => {
        const state = await trees.readState(tree, shape);
        await takeFurther();
        return state;
      },
    };
    await followTree(world.contextWith({ trees: overtakenAtRest }), world.tree);
    await world.mintOne();
    world.localnet.cluster.tick(5);
    const overtakenWhileReading: TreeSource = {
      ...trees,
      readChanges: async (tree, signature) => {
        const changes = await trees.readChanges(tree, signature);
        await follow();
        return changes;
      },
    };
    await followTree(world.contextWith({ trees: overtakenWhileReading }), world.tree);
    expect(world.logged).not.toContain("a tree's stored nodes do not give its root");
    await expectRootOfChain();
  });

  async function spoilNode(place: number): Promise<void> {
    await world.db
      .run(sql`INSERT INTO tree_nodes (tree_address, place, hash) VALUES (${world.tree}, ${place}, ${"11".repeat(32)})
      ON CONFLICT (tree_address, place) DO UPDATE SET hash = excluded.hash`);
  }

  it("throws away what gives another root than the chain's after a change, and reads it again", async () => {
    const { ticketId } = await world.mintOne();
    await follow();
    const next = ((await world.findJob(ticketId)).leafIndex ?? 0) + 1;
    await spoilNode(listProofPlaces(14, next)[5] ?? 0);
    await world.mintOne();
    world.logged.length = 0;
    await follow();
    expect(world.logged).toContain("a tree's stored nodes do not give its root");
    expect((await findTree())?.seq).toBe(0);
    await follow();
    await expectRootOfChain();
    expect((await prove(ticketId)).kind).toBe("proven");
  });

  it.each<[string, (ticketId: string) => Promise<unknown>]>([
    ["node", async (ticketId) => spoilNode(listProofPlaces(14, (await world.findJob(ticketId)).leafIndex ?? 0)[0] ?? 0)],
    [
      "leaf",
      async (ticketId) =>
        world.db
          .update(treeLeaves)
          .set({ ownerAddress: generateSolanaAddress() })
          .where(eq(treeLeaves.assetId, await findAssetId(ticketId))),
    ],
  ])("proves nothing by a %s that was changed in the database, and reads the tree again", async (_, spoil) => {
    const { ticketId } = await world.mintOne();
    await follow();
    expect((await prove(ticketId)).kind).toBe("proven");
    await spoil(ticketId);
    world.logged.length = 0;
    expect(await prove(ticketId)).toEqual({ kind: "unclear" });
    expect(world.logged).toContain("a tree's stored nodes do not give its root");
    await follow();
    await expectRootOfChain();
    expect((await prove(ticketId)).kind).toBe("proven");
  });
});
