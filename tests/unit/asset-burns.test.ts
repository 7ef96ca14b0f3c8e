import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generateSolanaAddress } from "#dev/secrets";
import { CHAIN_MODES, tellOfMissingPrograms } from "../support/node/chain-modes.ts";
import { openAssetWorld, type AssetWorld } from "../support/node/asset-world.ts";

const FINALITY_LAG_SLOTS = 4;

tellOfMissingPrograms();

describe.each(CHAIN_MODES)("assets of cancelled tickets on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
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

  it("waits for the mint, and has nothing to do when the ticket is minted to its new owner at once", async () => {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    const walletAddress = generateSolanaAddress();
    await world.passOn(sold, ticketId, walletAddress);
    expect(await world.deliverAsset(sold, ticketId)).toBe("later");
    await world.drain(sold);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "MOVED", attempts: 0 });
    expect(await world.findHolder(ticketId)).toBe(walletAddress);
  });

  it("never mints a ticket that was cancelled before its mint was signed, and completes its order without it", async () => {
    const sold = await world.sellTickets(2);
    const [kept = "", cancelled = ""] = sold.ticketIds;
    await world.cancel(sold, cancelled);
    await world.drainAssets(sold, [cancelled]);
    expect(await world.findBurn(cancelled)).toMatchObject({ status: "UNMINTED" });
    await world.drain(sold);
    expect(await world.countLeaves(sold)).toEqual([1, 0]);
    const lastError = "the ticket was cancelled before it was minted: no NFT of it exists, and there is nothing to do";
    expect(await world.findJob(cancelled)).toMatchObject({ status: "FAILED", signature: null, lastError });
    expect(await world.findHolder(kept)).toBe(world.minter.walletAddress);
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
  });

  it("never mints a ticket that is cancelled while its mint is being signed", async () => {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    await world.minter.ensureCollection({ eventId: sold.eventId, name: "E", uri: "" });
    const signed = await world.deliver(sold, ticketId, {
      ...world.minter,
      async signMints(batch) {
        const transaction = await world.minter.signMints(batch);
        await world.cancel(sold, ticketId);
        return transaction;
      },
    });
    expect(signed).toBe("later");
    expect(await world.findJob(ticketId)).toMatchObject({ signature: null });
    await world.drain(sold);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.countLeaves(sold)).toEqual([0]);
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "UNMINTED" });
    expect(await world.findOrderStatus(sold.orderId)).not.toBe("MINT_FAILED");
  });

  it("mints a cancelled ticket's neighbours all the same, when they were being signed together", async () => {
    const sold = await world.sellTickets(3);
    const [, cancelled = ""] = sold.ticketIds;
    await world.minter.ensureCollection({ eventId: sold.eventId, name: "E", uri: "" });
    await world.deliverTogether(sold, sold.ticketIds, {
      ...world.minter,
      async signMints(batch) {
        const signed = await world.minter.signMints(batch);
        expect(signed.ticketIds).toHaveLength(3);
        await world.cancel(sold, cancelled);
        return signed;
      },
    });
    for (const ticketId of sold.ticketIds) expect(await world.findJob(ticketId)).toMatchObject({ signature: null });
    await world.drain(sold);
    expect(await world.countLeaves(sold)).toEqual([1, 0, 1]);
    expect(await world.findJob(cancelled)).toMatchObject({ status: "FAILED", signature: null });
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
  });

  it("burns a ticket that was cancelled while its mint was under way, after the mint has landed", async () => {
    const sold = await world.sellTickets(1);
    const [ticketId = ""] = sold.ticketIds;
    for (let delivery = 0; (await world.findJob(ticketId)).signature === null; delivery += 1) {
      expect(delivery).toBeLessThan(5);
      await world.deliver(sold, ticketId);
    }
    await world.cancel(sold, ticketId);
    expect(await world.deliverAsset(sold, ticketId)).toBe("later");
    await world.drain(sold);
    expect(await world.findHolder(ticketId)).toBe(world.minter.walletAddress);
    await world.drainAssets(sold, [ticketId]);
    expect(await world.findHolder(ticketId)).toBeUndefined();
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT" });
  });

  it("lets no move happen that waited when the ticket was cancelled, and burns the asset where it is", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    await world.cancel(sold, ticketId);
    await world.drainAssets(sold, [ticketId], 2);
    expect(await world.findMove(ticketId)).toMatchObject({ status: "FAILED", signature: null });
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT", attempts: 1 });
    expect(await world.findHolder(ticketId)).toBeUndefined();
  });

  it("burns an asset once under lost transactions, lost answers and duplicate deliveries", async () => {
    const { sold, ticketId } = await world.mintAndPassOn();
    await world.drainAssets(sold, [ticketId]);
    await world.cancel(sold, ticketId);
    world.localnet.faults.answers = ["land_then_504"];
    world.localnet.faults.drop = 1;
    await world.drainAssets(sold, [ticketId], 3);
    expect(await world.findBurn(ticketId)).toMatchObject({ status: "BURNT" });
    expect(await world.findHolder(ticketId)).toBeUndefined();
  });
});
