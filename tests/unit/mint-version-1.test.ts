import { publicKey } from "@metaplex-foundation/umi";
import { afterEach, describe, expect, it } from "vitest";
import type { MintableTicket, SigningResult } from "#chain/minter";
import { createUmiMinter } from "#chain/umi-minter";
import { decodeWire } from "#dev/localnet/cluster";
import { computeFeeLamports } from "#dev/localnet/transaction-encoding";
import { decideComputeUnits } from "#domain/mint-batches";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import { SILENT, openMintWorld, type MintWorld, type MintWorldOptions } from "../support/node/mint-world.ts";

const PACKET_BYTES = 4_096;
const MINT_LAMPORTS = 90_000;

const opened: MintWorld[] = [];
let warnings: string[] = [];

/** A world in which version 1 is configured. */
async function open(mode: (typeof CHAIN_MODES)[number], options: MintWorldOptions = {}): Promise<MintWorld> {
  const logger = { ...SILENT, warn: (message: string) => void warnings.push(message) };
  const reachD1: MintWorldOptions["reachD1"] = (work) => Promise.resolve(work());
  const world = await openMintWorld(mode, {
    reachD1,
    ...options,
    minting: { transactionVersion: 1, logger, ...options.minting },
  });
  opened.push(world);
  return world;
}

afterEach(async () => {
  warnings = [];
  await Promise.all(opened.splice(0).map((world) => world.close()));
});

/** The versions of the transactions in blocks that minted these. */
function versionsOf({ localnet: { cluster } }: MintWorld, jobs: readonly { readonly signature: string | null }[]): unknown[] {
  return jobs.map(({ signature }) => cluster.findEntry(signature ?? "")?.decoded?.message.version);
}

const jobsOf = (world: MintWorld, ticketIds: readonly string[]) => Promise.all(ticketIds.map((id) => world.findJob(id)));

/** Whether a call of the minter asks the node to simulate. */
const isSimulation = (init: RequestInit | undefined): boolean =>
  typeof init?.body === "string" && init.body.includes("simulateTransaction");

const newWallet = (): string => publicKey(crypto.getRandomValues(new Uint8Array(32)));

function makeTicket(uriBytes: number): MintableTicket {
  const ticketId = crypto.randomUUID();
  const uri = `https://${"t".repeat(uriBytes - 49)}/nft/${ticketId}`;
  return { ticketId, ownerAddress: newWallet(), name: "n".repeat(32), uri };
}

/** Signs for tickets in a collection that is there. */
async function signFor(world: MintWorld, tickets: readonly MintableTicket[]): Promise<SigningResult> {
  const sold = await world.sellTickets(1);
  await world.drain(sold);
  const { collectionAddress } = await world.findJob(sold.ticketIds[0] ?? "");
  const where = { treeAddress: world.tree, collectionAddress: collectionAddress ?? "", attempts: 0 };
  return world.minter.signMints({ ...where, tickets });
}

describe.each(CHAIN_MODES)("mints in transactions of version 1 on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  it("takes ten tickets in one transaction, and gives each exactly one leaf", async () => {
    const world = await open(mode);
    const sold = await world.sellTickets(20);
    await world.drain(sold, 2);
    const jobs = await jobsOf(world, sold.ticketIds);
    expect(new Set(jobs.map(({ signature }) => signature)).size).toBe(2);
    expect(new Set(versionsOf(world, jobs))).toEqual(new Set([1]));
    expect(await world.countLeaves(sold)).toEqual(sold.ticketIds.map(() => 1));
    expect(await world.findOrderStatus(sold.orderId)).toBe("COMPLETED");
    expect(warnings).toEqual([]);
  });

  it("takes ten with the longest names and addresses, each for a wallet of its own", async () => {
    const world = await open(mode);
    const tickets = Array.from({ length: 12 }, () => makeTicket(200));
    const result = await signFor(world, tickets);
    const first = tickets.slice(0, 10).map(({ ticketId }) => ticketId);
    expect(result.ticketIds).toEqual(first);
    expect(decodeWire(result.signed?.wireBase64 ?? "", "base64").wire.length).toBeLessThanOrEqual(PACKET_BYTES);
    expect(await world.minter.sendMints(result.signed?.wireBase64 ?? "")).toBeNull();
    world.localnet.cluster.tick(10);
    const leaves = (await world.minter.findMintedLeaves(result.signed?.signature ?? "")) ?? [];
    expect(leaves.map(({ uri }) => uri.slice(uri.lastIndexOf("/") + 1))).toEqual(first);
  });

  it("pays the base fee once for all of them, and what was bid, as a sum", async () => {
    const world = await open(mode);
    world.localnet.faults.priorityFee = 20_000;
    const sold = await world.sellTickets(1);
    await world.drain(sold);
    const more = await world.sellTickets(10);
    const { cluster } = world.localnet;
    await world.deliverTogether(more, more.ticketIds);
    cluster.tick(10);
    const before = cluster.balanceOf(world.minter.walletAddress);
    await world.deliverTogether(more, more.ticketIds);
    const [job] = await jobsOf(world, more.ticketIds);
    const decoded = decodeWire(job?.wireBase64 ?? "", "base64");
    const fee = 5_000 + decideComputeUnits(10) * 0.02;
    expect(computeFeeLamports(decoded)).toBe(fee);
    expect(before - cluster.balanceOf(world.minter.walletAddress)).toBe(10 * MINT_LAMPORTS + fee);
  });

  it("goes on in version 0, without delay, when the node can't read version 1, and says so once", async () => {
    const world = await open(mode);
    world.localnet.faults.refusesVersion1 = true;
    const sold = await world.sellTickets(10);
    await world.drain(sold);
    const jobs = await jobsOf(world, sold.ticketIds);
    expect(jobs.map(({ attempts }) => attempts)).toEqual(sold.ticketIds.map(() => 1));
    expect(new Set(versionsOf(world, jobs))).toEqual(new Set([0]));
    expect(new Set(jobs.map(({ signature }) => signature)).size).toBe(2);
    expect(await world.countLeaves(sold)).toEqual(sold.ticketIds.map(() => 1));
    expect(warnings).toEqual(["the node refuses transactions of version 1: mints go on in version 0"]);
    expect(world.minter.transactionVersion).toBe(0);
    expect(world.localnet.callCounts.get("simulateTransaction")).toBe(1);
  });
});

describe("a cluster that does not take version 1", () => {
  it("is believed when it knows the version and has not switched it on", async () => {
    const fetcher: typeof fetch = async (input, init) => {
      if (!isSimulation(init)) return fetch(input, init);
      return Response.json({ jsonrpc: "2.0", id: 1, result: { value: { err: "UnsupportedVersion" } } });
    };
    const world = await open("emulator", { minting: { fetcher } });
    const sold = await world.sellTickets(6);
    await world.drain(sold);
    const jobs = await jobsOf(world, sold.ticketIds);
    expect(versionsOf(world, jobs)).toEqual(sold.ticketIds.map(() => 0));
    expect(jobs.map(({ attempts }) => attempts)).toEqual(sold.ticketIds.map(() => 1));
    expect(warnings.length).toBe(1);
  });

  it("costs its tickets one transaction in vain when only a spare node refuses, and mints each once", async () => {
    const world = await open("emulator", { spareNodes: 1 });
    const [first, spare] = world.nodes;
    if (first === undefined || spare === undefined) throw new Error("two nodes were asked for");
    spare.faults.refusesVersion1 = true;
    const sold = await world.sellTickets(10);
    const warm = await world.sellTickets(1);
    await world.drain(warm);
    expect(world.minter.transactionVersion).toBe(1);
    first.faults.answers = Array.from({ length: 1_000 }, () => 503);
    await world.drain(sold);
    const jobs = await jobsOf(world, sold.ticketIds);
    expect(jobs.map(({ attempts }) => attempts)).toEqual(sold.ticketIds.map(() => 2));
    expect(versionsOf(world, jobs)).toEqual(sold.ticketIds.map(() => 0));
    expect(await world.countLeaves(sold)).toEqual(sold.ticketIds.map(() => 1));
    expect(warnings.length).toBe(1);
  });

  it("is not asked at all unless version 1 is configured", async () => {
    const world = await open("emulator", { minting: { transactionVersion: 0 } });
    const sold = await world.sellTickets(6);
    await world.drain(sold);
    expect(versionsOf(world, await jobsOf(world, sold.ticketIds))).toEqual(sold.ticketIds.map(() => 0));
    expect(world.localnet.callCounts.get("simulateTransaction")).toBeUndefined();
  });

  it("mints nothing and stores nothing while no node can be asked whether it takes the version", async () => {
    const world = await open("emulator");
    const sold = await world.sellTickets(1);
    const silent = await createUmiMinter({
      rpcUrl: world.localnet.url,
      walletSecretKey: world.walletSecretKey,
      treeAddress: world.tree,
      transactionVersion: 1,
      fetcher: (input, init) => (isSimulation(init) ? Promise.reject(new Error("no route")) : fetch(input, init)),
    });
    await world.deliver(sold, sold.ticketIds[0] ?? "", silent);
    world.localnet.cluster.tick(10);
    expect(await world.deliver(sold, sold.ticketIds[0] ?? "", silent)).toBe("later");
    expect(await world.findJob(sold.ticketIds[0] ?? "")).toMatchObject({ signature: null, attempts: 0 });
  });
});
