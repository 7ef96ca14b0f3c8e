import { publicKey } from "@metaplex-foundation/umi";
import { afterEach, describe, expect, it } from "vitest";
import type { MintableTicket, Minter, SigningResult } from "#chain/minter";
import { decodeWire } from "#dev/localnet/cluster";
import { computeFeeLamports } from "#dev/localnet/transaction-encoding";
import { openMintWorld, type MintWorld, type MintWorldOptions } from "../support/node/mint-world.ts";

const PACKET_BYTES = 1_232;
const MINT_LAMPORTS = 90_000;

const opened: MintWorld[] = [];

async function open(options?: MintWorldOptions): Promise<MintWorld> {
  const world = await openMintWorld("emulator", { reachD1: (work) => Promise.resolve(work()), ...options });
  opened.push(world);
  return world;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((world) => world.close()));
});

function makeTicket(change: Partial<MintableTicket> = {}): MintableTicket {
  const ticketId = crypto.randomUUID();
  return { ticketId, ownerAddress: null, name: "Gala · A", uri: `https://t.example/nft/${ticketId}`, ...change };
}

function sign({ minter, tree }: MintWorld, tickets: readonly MintableTicket[], attempts = 0): Promise<SigningResult> {
  return minter.signMints({ treeAddress: tree, collectionAddress: tree, attempts, tickets });
}

const wireOf = ({ signed }: SigningResult) => decodeWire(signed?.wireBase64 ?? "", "base64");

describe("a transaction of mints", () => {
  it.each([
    ["short names and addresses", {}, 5],
    ["names of 32 bytes", { name: "x".repeat(32) }, 4],
    ["addresses of 200 bytes", { uri: `https://${"x".repeat(192)}` }, 2],
  ] as const)("takes as many tickets as its bytes hold: with %s", async (_, change, count) => {
    const world = await open();
    const tickets = Array.from({ length: 5 }, () => makeTicket(change));
    const result = await sign(world, tickets);
    expect(result.ticketIds).toEqual(tickets.slice(0, count).map(({ ticketId }) => ticketId));
    expect(wireOf(result).wire.length).toBeLessThanOrEqual(PACKET_BYTES);
  });

  it("counts the wallets of owners, each of which takes 32 bytes", async () => {
    const world = await open();
    const ownerAddress = (): string => publicKey(crypto.getRandomValues(new Uint8Array(32)));
    const result = await sign(
      world,
      Array.from({ length: 5 }, () => makeTicket({ ownerAddress: ownerAddress() })),
    );
    expect(result.ticketIds.length).toBe(4);
    expect(wireOf(result).wire.length).toBeLessThanOrEqual(PACKET_BYTES);
  });

  it("leaves out a ticket whose owner has no address, and one that fits into no transaction, and says why", async () => {
    const world = await open();
    const [fit, homeless, endless] = [makeTicket(), makeTicket({ ownerAddress: "me" }), makeTicket({ uri: "x".repeat(2_000) })];
    const result = await sign(world, [homeless, fit]);
    expect(result).toMatchObject({ ticketIds: [fit.ticketId], unfit: [{ ticketId: homeless.ticketId }] });
    const alone = await sign(world, [endless]);
    expect(alone).toMatchObject({ signed: null, ticketIds: [], unfit: [{ ticketId: endless.ticketId }] });
  });

  it("costs the base fee alone while nobody bids, what others bid when they do, and never more than the cap", async () => {
    const world = await open({ minting: { priorityFeeCapMicroLamports: 50_000 } });
    const feeOf = async (attempts = 0): Promise<number> => {
      world.localnet.cluster.tick(100);
      return computeFeeLamports(wireOf(await sign(world, [makeTicket()], attempts)));
    };
    expect(await feeOf()).toBe(5_000);
    world.localnet.faults.priorityFee = 20_000;
    expect(await feeOf()).toBe(5_000 + 0.02 * 130_000);
    world.localnet.faults.priorityFee = 9_000_000;
    expect(await feeOf()).toBe(5_000 + 0.05 * 130_000);
    world.localnet.faults.priorityFee = 0;
    expect(await feeOf(1)).toBe(5_000 + 0.01 * 130_000);
  });

  it("asks the node for a blockhash, the bids and the balance once in a while, however many are signed", async () => {
    const world = await open();
    await sign(world, [makeTicket()]);
    const before = new Map(world.localnet.callCounts);
    for (let count = 0; count < 10; count += 1) {
      await world.minter.isFunded();
      await sign(world, [makeTicket()]);
    }
    const asked = [...world.localnet.callCounts].filter(([method, count]) => count !== before.get(method));
    expect(asked).toEqual([["getBalance", (before.get("getBalance") ?? 0) + 1]]);
  });
});

describe("the wallet that pays", () => {
  it("pauses minting at its floor, also by what was signed since its balance was read, and goes on when it is filled", async () => {
    const world = await open({ minting: { payerFloorLamports: 1_000_000 } });
    const { cluster } = world.localnet;
    const { walletAddress } = world.minter;
    const isFunded = (): Promise<boolean> => world.minter.isFunded();
    cluster.changeAccount(walletAddress, { lamports: 1_000_000 + MINT_LAMPORTS + 5_000 });
    expect(await isFunded()).toBe(true);
    await sign(world, [makeTicket()]);
    expect(await isFunded()).toBe(true);
    await sign(world, [makeTicket()]);
    expect(await isFunded()).toBe(false);
    cluster.changeAccount(walletAddress, { lamports: 100_000_000 });
    cluster.tick(100);
    expect(await isFunded()).toBe(true);
  });
});

describe("a ticket that the chain refuses", () => {
  it("fails alone: its neighbours are minted in smaller transactions, once each", async () => {
    const world = await open();
    const sold = await world.sellTickets(5);
    const [poison = "", ...others] = sold.ticketIds;
    // Bubblegum takes no name of more than 32 bytes.
    const minter: Minter = {
      ...world.minter,
      signMints: (batch) => {
        const tickets = batch.tickets.map((ticket) =>
          ticket.ticketId === poison ? { ...ticket, name: "x".repeat(33) } : ticket,
        );
        return world.minter.signMints({ ...batch, tickets });
      },
    };
    const isMinted = async (ticketId: string): Promise<boolean> => (await world.findJob(ticketId)).status === "MINTED";
    for (let round = 0; !(await Promise.all(others.map(isMinted))).every(Boolean); round += 1) {
      expect(round).toBeLessThan(400);
      await world.deliverTogether(sold, sold.ticketIds, minter);
      world.localnet.cluster.tick(5);
    }
    expect(await world.countLeaves(sold)).toEqual([0, 1, 1, 1, 1]);
    expect(await world.findJob(poison)).toMatchObject({ status: "SUBMITTED" });
    expect((await world.findJob(poison)).attempts).toBeGreaterThanOrEqual(3);
  });
});
