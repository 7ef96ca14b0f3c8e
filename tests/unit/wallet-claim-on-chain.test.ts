import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimFor } from "../support/node/claim-on-chain.ts";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";
import { makeWallet } from "../support/wallet.ts";

describe("a ticket that a wallet claimed by its signature", { timeout: 120_000 }, () => {
  let world: AssetWorld;

  beforeAll(async () => {
    world = await openAssetWorld("emulator");
  });
  afterAll(async () => {
    await world.close();
  });

  it("has its leaf on the chain in that wallet, after it was in the service's custody", async () => {
    const { sold, ticketId } = await world.mintOne();
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
    const wallet = makeWallet();
    expect(await claimFor(world.db, sold, ticketId, wallet)).toEqual([{ tenantId: sold.tenantId, ticketId }]);
    await world.drainAssets(sold, [ticketId], 2);
    expect(await world.findHolder(ticketId)).toBe(wallet.address);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 1 });
  });

  it("is minted to that wallet at once when it was claimed before its mint", async () => {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    const wallet = makeWallet();
    await claimFor(world.db, sold, ticketId, wallet);
    expect(await world.deliverAsset(sold, ticketId)).toBe("later");
    await world.drain(sold);
    expect(await world.findHolder(ticketId)).toBe(wallet.address);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 0 });
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("is in the wallet that claimed last, when a second claim came while its mint was signed and nothing was moved", async () => {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    await world.deliver(sold, ticketId);
    const [first, second] = [makeWallet(), makeWallet()];
    await claimFor(world.db, sold, ticketId, first);
    await claimFor(world.db, sold, ticketId, second);
    await world.drain(sold);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBe(second.address);
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("is burnt out of that wallet when it is cancelled", async () => {
    const { sold, ticketId } = await world.mintOne();
    await claimFor(world.db, sold, ticketId, makeWallet());
    await world.drainAssets(sold, [ticketId]);
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBeUndefined();
  });
});
