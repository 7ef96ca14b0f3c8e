import { address as toAddress } from "@solana/kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Minter } from "#chain/minter";
import { verifyMintedLeaf } from "#dev/localnet/tree-reader";
import { CHAIN_MODES, tellOfMissingPrograms } from "../support/node/chain-modes.ts";
import { openMintWorld, type MintWorld } from "../support/node/mint-world.ts";
import type { SoldTickets } from "../support/sold-tickets.ts";

const FINALITY_LAG_SLOTS = 4;
const BLOCKHASH_LIFE = 150;

tellOfMissingPrograms();

// The limit is for a busy machine; nothing here is judged by its time.
describe.each(CHAIN_MODES)("minting on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let world: MintWorld;

  beforeAll(async () => {
    world = await openMintWorld(mode, { finalityLagSlots: FINALITY_LAG_SLOTS });
    expect(world.localnet.mode).toBe(mode);
  });

  afterAll(async () => {
    await world.close();
  });

  beforeEach(() => {
    // No blockhash of another test is remembered.
    world.localnet.cluster.tick(BLOCKHASH_LIFE);
    Object.assign(world.localnet.faults, { drop: 0, delaySlots: 0, answers: [] });
  });

  /** Brings a ticket's job to the point where its first transaction is signed and sent. */
  async function submitFirst(sold: SoldTickets, minter?: Minter): Promise<string> {
    const [ticketId] = sold.ticketIds;
    if (ticketId === undefined) throw new Error("no ticket was sold");
    for (let delivery = 0; (await world.findJob(ticketId)).signature === null; delivery += 1) {
      expect(delivery).toBeLessThan(5);
      await world.deliver(sold, ticketId, minter);
    }
    return ticketId;
  }

  it("mints each ticket of an order once, in its event's collection, and completes the order", async () => {
    const sold = await world.sellTickets(5);
    await world.drain(sold);
    expect(await world.countLeaves(sold)).toEqual([1, 1, 1, 1, 1]);
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
    const [ticketId = ""] = sold.ticketIds;
    const { assetId, leafIndex, signature } = await world.findJob(ticketId);
    const { address } = await world.minter.ensureCollection({ eventId: sold.eventId, name: "", uri: "" });
    const claim = {
      assetId: assetId ?? "",
      leafIndex: leafIndex ?? -1,
      signature: signature ?? "",
      collectionAddress: address,
    };
    expect(
      await verifyMintedLeaf(world.localnet.url, world.tree, { ...claim, ownerAddress: world.minter.walletAddress }),
    ).toEqual([]);
    expect(await verifyMintedLeaf(world.localnet.url, world.tree, { ...claim, leafIndex: claim.leafIndex + 1 })).toHaveLength(
      1,
    );
  });

  it("signs once when a message is delivered four times at the same instant", async () => {
    const sold = await world.sellTickets(6);
    // Only the compare-and-swap keeps these from landing twice: their bytes differ.
    const signatures: string[] = [];
    const minter: Minter = {
      ...world.racingMinter,
      async signMints(batch) {
        const result = await world.racingMinter.signMints(batch);
        signatures.push(result.signed?.signature ?? "");
        return result;
      },
    };
    await submitFirst(sold);
    const rest = sold.ticketIds.slice(1);
    await Promise.all(rest.flatMap((id) => [1, 2, 3, 4].map(() => world.deliver(sold, id, minter))));
    // The race is real: more was signed than stored.
    expect(new Set(signatures).size).toBeGreaterThan(rest.length);
    for (const id of rest) expect((await world.findJob(id)).attempts).toBe(1);
    await world.drain(sold, 4);
    expect(await world.countLeaves(sold)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("would mint twice without the compare-and-swap: the chain itself does not stop a second signature", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirst(sold);
    await world.drain(sold);
    const { address } = await world.minter.ensureCollection({ eventId: sold.eventId, name: "", uri: "" });
    const uri = `https://tickets.test/nft/${ticketId}`;
    const again = { ticketId, ownerAddress: null, name: "Night of the Lamps · Standing", uri };
    // Under the same blockhash the bytes would be the same, and land once.
    world.localnet.cluster.tick(10);
    const batch = { treeAddress: world.tree, collectionAddress: address, attempts: 0, tickets: [again] };
    const { signed } = await world.minter.signMints(batch);
    await world.minter.sendMints(signed?.wireBase64 ?? "");
    expect(await world.countLeaves(sold)).toEqual([2]);
  });

  it("sends the same bytes again when the node accepted a transaction and lost it", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirstWith(sold, () => (world.localnet.faults.drop = 2));
    const { signature } = await world.findJob(ticketId);
    await world.drain(sold);
    expect(await world.findJob(ticketId)).toMatchObject({ status: "MINTED", signature, attempts: 1 });
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("believes the chain, not the answer, when a transaction lands and the node answers 504", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirstWith(sold, () => (world.localnet.faults.answers = ["land_then_504"]));
    await world.drain(sold, 3);
    expect(await world.findJob(ticketId)).toMatchObject({ status: "MINTED", attempts: 1 });
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("mints once when the Worker dies between storing a signature and sending it", async () => {
    const sold = await world.sellTickets(1);
    await world.minter.ensureCollection({ eventId: sold.eventId, name: "E", uri: "" });
    const dying: Minter = { ...world.minter, sendMints: () => Promise.reject(new Error("the isolate is gone")) };
    const [ticketId = ""] = sold.ticketIds;
    expect(await world.deliver(sold, ticketId, dying)).toBe("later");
    expect(await world.findJob(ticketId)).toMatchObject({ status: "SUBMITTED", attempts: 1 });
    await world.drain(sold);
    expect(await world.findJob(ticketId)).toMatchObject({ status: "MINTED", attempts: 1 });
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("signs again only when the blockhash is past the finalized height, not when it is past the newest", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirstWith(sold, () => (world.localnet.faults.drop = Number.MAX_SAFE_INTEGER));
    const first = await world.findJob(ticketId);
    tickTo((first.lastValidBlockHeight ?? 0) + FINALITY_LAG_SLOTS);
    expect(world.localnet.cluster.heightAt("processed")).toBeGreaterThan(first.lastValidBlockHeight ?? Infinity);
    expect(world.localnet.cluster.heightAt("finalized")).toBe(first.lastValidBlockHeight);
    await world.deliver(sold, ticketId);
    expect(await world.findJob(ticketId)).toMatchObject({ signature: first.signature, attempts: 1 });

    world.localnet.cluster.tick(1);
    world.localnet.faults.drop = 0;
    await world.deliver(sold, ticketId);
    const second = await world.findJob(ticketId);
    expect(second.attempts).toBe(2);
    expect(second.signature).not.toBe(first.signature);
    expect(second.lastError).toBe("expired without landing");
    await world.drain(sold);
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("keeps its signature while a transaction that lands in its very last block is not final yet", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirstWith(sold, () => (world.localnet.faults.delaySlots = BLOCKHASH_LIFE));
    const first = await world.findJob(ticketId);
    tickTo((first.lastValidBlockHeight ?? 0) - 1);
    await world.deliver(sold, ticketId);
    world.localnet.cluster.tick(1);
    expect(world.localnet.cluster.heightAt("processed")).toBe(first.lastValidBlockHeight);
    for (let slot = 0; slot <= FINALITY_LAG_SLOTS + 1; slot += 1) {
      await world.deliver(sold, ticketId);
      world.localnet.cluster.tick(1);
    }
    expect(await world.findJob(ticketId)).toMatchObject({ status: "MINTED", signature: first.signature, attempts: 1 });
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("signs again when its transaction failed in a finalized block, and not while that block may be dropped", async () => {
    const sold = await world.sellTickets(1);
    const ticketId = await submitFirstWith(sold, () => (world.localnet.faults.delaySlots = 2));
    world.localnet.faults.delaySlots = 0;
    const first = await world.findJob(ticketId);
    const { address: collection } = await world.minter.ensureCollection({ eventId: sold.eventId, name: "", uri: "" });
    const { svm } = world.localnet.cluster.executor;
    const intact = svm.getAccount(toAddress(collection));
    if (!intact.exists) throw new Error("the collection was made before the mint was sent");
    svm.setAccount({ ...intact, programAddress: toAddress("11111111111111111111111111111111") });
    world.localnet.cluster.tick(2);
    svm.setAccount(intact);
    await world.deliver(sold, ticketId);
    expect(await world.findJob(ticketId)).toMatchObject({ signature: first.signature, attempts: 1 });

    world.localnet.cluster.tick(FINALITY_LAG_SLOTS);
    await world.deliver(sold, ticketId);
    const second = await world.findJob(ticketId);
    expect(second).toMatchObject({ attempts: 2 });
    expect(second.lastError).toContain("failed on chain");
    await world.drain(sold);
    expect(await world.countLeaves(sold)).toEqual([1]);
  });

  it("ends with exactly one leaf a ticket under drops, delays, refusals, lost answers and duplicate deliveries together", async () => {
    const sold = await world.sellTickets(8);
    const { faults } = world.localnet;
    faults.answers = [
      "land_then_504",
      500,
      "ok",
      429,
      "land_then_504",
      503,
      "ok",
      "ok",
      502,
      "land_then_504",
      504,
      "ok",
      "land_then_504",
    ];
    faults.drop = 7;
    faults.delaySlots = 5;
    await world.drain(sold, 3, world.racingMinter);
    expect(await world.countLeaves(sold)).toEqual(sold.ticketIds.map(() => 1));
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
  });

  /** Makes blocks up to this height. */
  function tickTo(height: number): void {
    world.localnet.cluster.tick(height - world.localnet.cluster.heightAt("processed"));
  }

  /** As `submitFirst`, but makes the trouble just before the mint is sent, not while the collection is made. */
  function submitFirstWith(sold: SoldTickets, makeTrouble: () => void): Promise<string> {
    return submitFirst(sold, {
      ...world.minter,
      sendMints(wire) {
        makeTrouble();
        return world.minter.sendMints(wire);
      },
    });
  }
});
