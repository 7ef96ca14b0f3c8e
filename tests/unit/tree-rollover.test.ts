import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashMetadataDataV2 } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { eq } from "drizzle-orm";
import { importWalletSigner } from "#chain/wallet-signer";
import { openOwner, type Owner } from "#dev/chain-setup/owner";
import { provisionCollection, provisionTree } from "#dev/chain-setup/provision-accounts";
import { readTree } from "#dev/localnet/tree-reader";
import { generateSolanaWallet } from "#dev/secrets";
import { fitOnChainName } from "#domain/on-chain-name";
import { capacityOf } from "#domain/tree-shape";
import { advanceOpening } from "#services/trees/advance-opening";
import { events, ticketTypes } from "#storage/schema";
import { insertTenantTree, listTenantTrees } from "#storage/tenant-trees";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import { openMintWorld, PUBLIC_BASE_URL, type MintWorld } from "../support/node/mint-world.ts";
import { EVENT_NAME, TYPE_NAME, type SoldTickets } from "../support/sold-tickets.ts";

/** Eight leaves, and no reserve: the last mints in flight find it full. */
const TINY = { depth: 3, bufferSize: 8, canopyDepth: 0 };

describe.each(CHAIN_MODES)("minting from tree to tree on a chain that runs the %s", { timeout: 240_000 }, (mode) => {
  let world: MintWorld;
  let owner: Owner;

  beforeAll(async () => {
    world = await openMintWorld(mode);
    owner = openOwner(world.localnet.url, await importWalletSigner(generateSolanaWallet()));
    await owner.rpc.call("requestAirdrop", [owner.signer.publicKey, 100_000_000_000]);
  });
  afterAll(() => world.close());

  const minterAddress = () => world.minter.walletAddress;
  const openings = () => ({ db: world.db, treeKeeper: world.treeKeeper, nowMs: Date.now() });

  async function addTree(sold: SoldTickets, number: number): Promise<string> {
    const purpose = `${sold.tenantId} ${number}`;
    const { address } = await provisionTree(owner, { purpose, shape: TINY, minterAddress: minterAddress() });
    const measures = { ...TINY, capacity: capacityOf(TINY), mintedCount: 0, requestId: null };
    await insertTenantTree(world.db, { address, tenantId: sold.tenantId, number, ...measures, status: "OPEN" }, 1);
    return address;
  }

  /** Leaves of each ticket over all these trees, by the hash of the metadata that names it. */
  async function countLeaves(sold: SoldTickets, trees: readonly string[]): Promise<number[]> {
    const contents = await Promise.all(trees.map((tree) => readTree(world.localnet.url, tree)));
    for (const { computedRoot, accountRoot } of contents) expect(computedRoot).toBe(accountRoot);
    const event = await world.db.select().from(events).where(eq(events.id, sold.eventId)).get();
    const collection = publicKey(event?.collectionAddress ?? "");
    const texts = { name: fitOnChainName(`${EVENT_NAME} · ${TYPE_NAME}`), sellerFeeBasisPoints: 0, creators: [] };
    return sold.ticketIds.map((ticketId) => {
      const hash = hashMetadataDataV2({ ...texts, uri: `${PUBLIC_BASE_URL}/nft/${ticketId}`, collection });
      return contents.flatMap(({ leaves }) => leaves).filter(({ leaf }) => Buffer.compare(leaf.dataHash, hash) === 0).length;
    });
  }

  it("fills one tree and goes on in the next, with one leaf for each ticket, under lost answers and double deliveries", async () => {
    const sold = await world.sellTickets(11);
    const trees = [await addTree(sold, 1), await addTree(sold, 2)];
    Object.assign(world.localnet.faults, {
      drop: 3,
      delaySlots: 2,
      answers: ["ok", "land_then_504", 500, "ok", "land_then_504"],
    });
    await world.drain(sold, 2, world.racingMinter);
    Object.assign(world.localnet.faults, { drop: 0, delaySlots: 0, answers: [] });
    expect(await countLeaves(sold, trees)).toEqual(sold.ticketIds.map(() => 1));
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
    const rows = await listTenantTrees(world.db, sold.tenantId);
    expect(rows.map(({ status }) => status)).toEqual(["FULL", "ACTIVE"]);
    const jobs = await Promise.all(sold.ticketIds.map((id) => world.findJob(id)));
    for (const [index, address] of trees.entries()) {
      const mintedHere = jobs.filter(({ treeAddress }) => treeAddress === address);
      expect(mintedHere.length).toBe(index === 0 ? 8 : 3);
      expect(new Set(mintedHere.map(({ leafIndex }) => leafIndex)).size).toBe(mintedHere.length);
    }
  });

  it("makes the next tree itself when nobody provisioned one, and loses no ticket meanwhile", async () => {
    const sold = await world.sellTickets(9);
    const first = await addTree(sold, 1);
    const drained = world.drain(sold);
    const second = await world.treeKeeper.deriveTreeAddress({ tenantId: sold.tenantId, number: 2 });
    // As the consumer does: of two that make the lookup table at once, the node refuses one, and its message comes back.
    const open = (): Promise<unknown> => advanceOpening(openings(), { address: second }).catch(() => undefined);
    const timer = setInterval(() => void open(), 50);
    await drained;
    clearInterval(timer);
    expect(await countLeaves(sold, [first, second])).toEqual(sold.ticketIds.map(() => 1));
    expect(await listTenantTrees(world.db, sold.tenantId)).toMatchObject([{ status: "FULL" }, { status: "ACTIVE", ...TINY }]);
  });

  it("mints tickets that are not transferable into the event's frozen collection, the others into the open one", async () => {
    const [movable, fixed] = [await world.sellTickets(2), await world.sellTickets(2)];
    await world.db.update(ticketTypes).set({ transferable: false }).where(eq(ticketTypes.eventId, fixed.eventId));
    await world.drain(movable);
    await world.drain(fixed);
    const eventOf = (sold: SoldTickets) => world.db.select().from(events).where(eq(events.id, sold.eventId)).get();
    const [one, other] = [await eventOf(movable), await eventOf(fixed)];
    expect(one).toMatchObject({ frozenCollectionAddress: null });
    expect(other).toMatchObject({ collectionAddress: null });
    const collectionOf = async (sold: SoldTickets) => (await world.findJob(sold.ticketIds[0] ?? "")).collectionAddress ?? "";
    expect(await collectionOf(movable)).toBe(one?.collectionAddress);
    expect(await collectionOf(fixed)).toBe(other?.frozenCollectionAddress);
    expect(await world.treeKeeper.inspectCollection(await collectionOf(movable))).toMatchObject({ isFrozen: false });
    expect(await world.treeKeeper.inspectCollection(await collectionOf(fixed))).toMatchObject({ isFrozen: true });
  });

  it("mints into the collection that was provisioned for the event, and into one of its own when it may not", async () => {
    const [given, foreign] = [await world.sellTickets(1), await world.sellTickets(1)];
    const made = (purpose: string, minter: string) =>
      provisionCollection(owner, { purpose, name: "Given", uri: "u", minterAddress: minter });
    const good = await made(given.eventId, minterAddress());
    const bad = await made(foreign.eventId, owner.signer.publicKey);
    for (const [sold, { address }] of [
      [given, good],
      [foreign, bad],
    ] as const) {
      await world.db.update(events).set({ collectionAddress: address }).where(eq(events.id, sold.eventId));
      await world.drain(sold);
    }
    expect(await world.findJob(given.ticketIds[0] ?? "")).toMatchObject({ collectionAddress: good.address, attempts: 1 });
    const own = (await world.findJob(foreign.ticketIds[0] ?? "")).collectionAddress ?? "";
    expect(own).not.toBe(bad.address);
    expect(await world.treeKeeper.inspectCollection(own)).toMatchObject({ ownerAddress: minterAddress() });
  });
});
