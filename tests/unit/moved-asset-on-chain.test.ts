import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAssetChain } from "#chain/asset-mover";
import { createRpcClient } from "#chain/rpc-client";
import { followTree } from "#services/assets/follow-tree";
import { noticeMovedAssets, type NoticeContext } from "#services/assets/notice-moved-assets";
import { proveAsset } from "#services/assets/prove-asset";
import { events, tickets, treeLeaves } from "#storage/schema";
import { and, eq, isNotNull } from "drizzle-orm";
import { claimFor } from "../support/node/claim-on-chain.ts";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import type { SoldTickets } from "../support/sold-tickets.ts";
import { makeWallet, type Wallet } from "../support/wallet.ts";

const FINALITY_LAG_SLOTS = 4;

describe("an asset that its owner moves with their own key", { timeout: 120_000 }, () => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld("emulator", FINALITY_LAG_SLOTS);
  });
  afterAll(async () => {
    await world.close();
  });

  /** Signs as the leaf's owner, with nothing of the service's. */
  async function moveAsOwner(sold: SoldTickets, ticketId: string, owner: Wallet, toAddress: string): Promise<void> {
    const { localnet, db } = world;
    await createRpcClient(localnet.url).call("requestAirdrop", [owner.address, 1_000_000_000]);
    localnet.cluster.tick(FINALITY_LAG_SLOTS);
    await followTree(world.contextWith(), world.tree);
    const { assetId } = await world.findJob(ticketId);
    const place = await proveAsset(world.contextWith(), assetId ?? "", 0);
    const event = await db.select().from(events).where(eq(events.id, sold.eventId)).get();
    if (place.kind !== "proven" || !event?.collectionAddress) throw new Error(`the asset is ${place.kind}`);
    const { mover } = await createAssetChain({ rpcUrl: localnet.url, walletSecretKey: owner.secretKey });
    const asset = { proof: place.proof, collectionAddress: event.collectionAddress };
    const { wireBase64 } = await mover.signMove(asset, toAddress, 0);
    expect(await mover.send(wireBase64)).toBeNull();
    localnet.cluster.tick(FINALITY_LAG_SLOTS + 1);
  }

  /** What the cron and the asset queue do in a minute. @returns the epochs that the gate was told to admit from. */
  async function passMinute(): Promise<readonly number[]> {
    await followTree(world.contextWith(), world.tree);
    const epochs: number[] = [];
    const handOver = ({ toEpoch }: { readonly toEpoch: number }): Promise<string> => {
      epochs.push(toEpoch);
      return Promise.resolve("done");
    };
    const context = { ...world.contextWith(), gate: () => ({ handOver }), assetChain: () => Promise.resolve(world.chain) };
    await noticeMovedAssets(context as unknown as NoticeContext); // whatever else is asked for is undefined and fails the test
    return epochs;
  }

  const readTicket = (ticketId: string) => world.db.select().from(tickets).where(eq(tickets.id, ticketId)).get();

  it("takes its ticket with it, which who holds the new wallet claims and passes on", async () => {
    const { sold, ticketId } = await world.mintOne();
    const [first, second] = [makeWallet(), makeWallet()];
    await claimFor(world.db, sold, ticketId, first);
    await world.drainAssets(sold, [ticketId]);
    expect(await passMinute()).toEqual([]);
    await moveAsOwner(sold, ticketId, first, second.address);
    expect(await world.findHolder(ticketId)).toBe(second.address);
    expect(await passMinute()).toEqual([1]);
    expect(await readTicket(ticketId)).toMatchObject({
      heldByAddress: second.address,
      credentialEpoch: 1,
      ownerUserId: sold.userId,
    });
    expect(await passMinute()).toEqual([]);
    const newOwner = { ...sold, userId: crypto.randomUUID() };
    await claimFor(world.db, newOwner, ticketId, second);
    expect(await readTicket(ticketId)).toMatchObject({
      heldByAddress: null,
      ownerUserId: newOwner.userId,
      walletAddress: second.address,
    });
    await world.passOn(newOwner, ticketId, null);
    await world.drainAssets(newOwner, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
    expect(await passMinute()).toEqual([]);
    expect(await readTicket(ticketId)).toMatchObject({ heldByAddress: null, credentialEpoch: 2 });
  });

  it("gives its owner the ticket back when they move it back", async () => {
    const { sold, ticketId } = await world.mintOne();
    const [home, away] = [makeWallet(), makeWallet()];
    await claimFor(world.db, sold, ticketId, home);
    await world.drainAssets(sold, [ticketId]);
    await moveAsOwner(sold, ticketId, home, away.address);
    await passMinute();
    await moveAsOwner(sold, ticketId, away, home.address);
    expect(await passMinute()).toEqual([]);
    expect(await readTicket(ticketId)).toMatchObject({ heldByAddress: null, heldSinceMs: null, ownerUserId: sold.userId });
  });

  it("is none of the changes that the service made itself: mints, moves and a burn leave no ticket held and no news", async () => {
    const sold = await world.sellTickets(3);
    const [moved = "", burnt = ""] = sold.ticketIds;
    await world.drain(sold);
    await claimFor(world.db, sold, moved, makeWallet());
    await world.cancel(sold, burnt);
    await world.drainAssets(sold, [moved, burnt]);
    world.localnet.cluster.tick(FINALITY_LAG_SLOTS);
    expect(await passMinute()).toEqual([]);
    const held = await world.db
      .select()
      .from(tickets)
      .where(and(eq(tickets.tenantId, sold.tenantId), isNotNull(tickets.heldByAddress)));
    expect(held).toEqual([]);
    expect(await world.db.select().from(treeLeaves).where(isNotNull(treeLeaves.newsAtMs))).toEqual([]);
  });
});
