import {
  createEmptyLut,
  deactivateLut,
  extendLut,
  findAddressLookupTablePda,
  freezeLut,
} from "@metaplex-foundation/mpl-toolbox";
import { publicKey, type PublicKey } from "@metaplex-foundation/umi";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listTableAddresses } from "#chain/lookup-table";
import type { MintableTicket, Minter, SigningResult } from "#chain/minter";
import { createUmiMinter } from "#chain/umi-minter";
import { settle, type Owner } from "#dev/chain-setup/owner";
import { provisionLookupTable } from "#dev/chain-setup/provision-accounts";
import { decodeWire } from "#dev/localnet/cluster";
import { generateSolanaAddress } from "#dev/secrets";
import { CHAIN_MODES } from "../support/node/chain-modes.ts";
import { openParty } from "../support/node/chain-parties.ts";
import { SILENT, openMintWorld, type MintWorld } from "../support/node/mint-world.ts";

/** The longest of each: Bubblegum takes no longer name, and with a bid five such addresses just fit. */
const LONGEST_NAME = "n".repeat(32);
const LONGEST_BASE = `https://${"t".repeat(20)}.app`;

const BUYER = generateSolanaAddress();

function makeTicket(base: string, ownerAddress: string | null): MintableTicket {
  const ticketId = crypto.randomUUID();
  return { ticketId, ownerAddress, name: LONGEST_NAME, uri: `${base}/nft/${ticketId}` };
}

const makeTickets = (count: number): MintableTicket[] => Array.from({ length: count }, () => makeTicket(LONGEST_BASE, null));

describe.each(CHAIN_MODES)("mints with a lookup table on a chain that runs the %s", { timeout: 120_000 }, (mode) => {
  let world: MintWorld;
  let stranger: Owner;
  let collection: string;
  let warnings: { readonly message: string; readonly problems: unknown }[] = [];

  beforeAll(async () => {
    world = await openMintWorld(mode);
    stranger = await openParty(world.localnet.url);
    const sold = await world.sellTickets(1);
    await world.drain(sold);
    collection = (await world.findJob(sold.ticketIds[0] ?? "")).collectionAddress ?? "";
  });
  afterEach(() => {
    warnings = [];
    world.localnet.faults.priorityFee = 0;
  });
  afterAll(() => world.close());

  const listAddresses = (tree = world.tree) => listTableAddresses(stranger.umi, tree);

  /** A minter that has seen no table yet, and notes what it warns of. */
  const openMinter = (): Promise<Minter> =>
    createUmiMinter({
      rpcUrl: world.localnet.url,
      walletSecretKey: world.walletSecretKey,
      treeAddress: world.tree,
      logger: { ...SILENT, warn: (message, fields) => void warnings.push({ message, problems: fields?.["problems"] }) },
    });

  /** A table of somebody else's, holding what they like. */
  async function makeTable(addresses: readonly PublicKey[], isFrozen = true): Promise<string> {
    const { umi } = stranger;
    world.localnet.cluster.tick(1);
    const recentSlot = world.localnet.cluster.slotAt("finalized");
    const address = findAddressLookupTablePda(umi, { authority: umi.identity.publicKey, recentSlot });
    const filled = createEmptyLut(umi, { address, recentSlot }).add(extendLut(umi, { address, addresses: [...addresses] }));
    await settle(stranger, isFrozen ? filled.add(freezeLut(umi, { address })) : filled);
    world.localnet.cluster.tick(1);
    return address[0];
  }

  const sign = (minter: Minter, lookupTableAddress: string | null, tickets: readonly MintableTicket[]) =>
    minter.signMints({ treeAddress: world.tree, lookupTableAddress, collectionAddress: collection, attempts: 0, tickets });

  const countLookups = ({ signed }: SigningResult): number =>
    decodeWire(signed?.wireBase64 ?? "", "base64").message.addressTableLookups.length;

  /** Sends a transaction, and gives the tickets that it minted, by the ledger. */
  async function land(minter: Minter, { signed }: SigningResult): Promise<string[]> {
    expect(await minter.sendMints(signed?.wireBase64 ?? "")).toBeNull();
    world.localnet.cluster.tick(10);
    const leaves = await minter.findMintedLeaves(signed?.signature ?? "");
    return (leaves ?? []).map(({ uri }) => uri.slice(uri.lastIndexOf("/") + 1));
  }

  it.each([0, 50_000])("takes five with the longest names and addresses into one transaction, at a bid of %i", async (bid) => {
    world.localnet.faults.priorityFee = bid;
    const minter = await openMinter();
    const tickets = makeTickets(5);
    const ids = tickets.map(({ ticketId }) => ticketId);
    const result = await sign(minter, world.lookupTable, tickets);
    expect(result.ticketIds).toEqual(ids);
    expect(countLookups(result)).toBe(1);
    expect(await land(minter, result)).toEqual(ids);
    expect(warnings).toEqual([]);
    const plain = await sign(minter, null, makeTickets(5));
    expect(plain.ticketIds.length).toBe(4);
  });

  it.each([
    { whose: "in custody", baseBytes: 39, ownerAddress: null },
    { whose: "all for one wallet", baseBytes: 32, ownerAddress: BUYER },
  ])("takes five with longer texts when the table holds their collection too: $whose", async ({ baseBytes, ownerAddress }) => {
    world.localnet.faults.priorityFee = 50_000;
    const minter = await openMinter();
    const table = await provisionLookupTable(await openParty(world.localnet.url), world.tree, [collection]);
    world.localnet.cluster.tick(1);
    const base = `https://${"t".repeat(baseBytes - 12)}.app`;
    const tickets = Array.from({ length: 5 }, () => makeTicket(base, ownerAddress));
    const result = await sign(minter, table.address, tickets);
    expect(result.ticketIds.length).toBe(5);
    expect(await land(minter, result)).toEqual(tickets.map(({ ticketId }) => ticketId));
    expect((await sign(minter, world.lookupTable, tickets)).ticketIds.length).toBe(4);
  });

  it("takes as many collections as the transaction that makes it holds", async () => {
    const collections = Array.from({ length: 20 }, generateSolanaAddress);
    const tree = generateSolanaAddress();
    const { address } = await provisionLookupTable(stranger, tree, collections);
    const found = await world.treeKeeper.inspectLookupTable(address, tree);
    expect(found).toMatchObject({ addresses: [...listAddresses(tree), ...collections.slice(0, 16)] });
  });

  it("looks at a table once, however many transactions use it", async () => {
    const minter = await openMinter();
    const before = world.localnet.callCounts.get("getAccountInfo") ?? 0;
    for (let count = 0; count < 3; count += 1) await sign(minter, world.lookupTable, makeTickets(5));
    expect(world.localnet.callCounts.get("getAccountInfo")).toBe(before + 1);
  });

  it.each([
    ["is not there", () => Promise.resolve(generateSolanaAddress()), "There is no account"],
    ["is no table", () => Promise.resolve(world.tree), "no address lookup table"],
    ["is another tree's", () => makeTable(listAddresses(generateSolanaAddress())), `It lacks`],
    ["lacks an address", () => makeTable(listAddresses().slice(1)), "It lacks"],
    ["could be closed by somebody", () => makeTable(listAddresses(), false), "who could close it"],
    [
      "is being closed",
      async () => {
        const address = await makeTable(listAddresses(), false);
        await settle(stranger, deactivateLut(stranger.umi, { address: publicKey(address) }));
        return address;
      },
      "It is being closed",
    ],
  ] as const)(
    "mints all the same when the table %s, with fewer tickets, and says so once a minute",
    async (_, make, problem) => {
      const table = await make();
      const minter = await openMinter();
      const tickets = makeTickets(5);
      const result = await sign(minter, table, tickets);
      await sign(minter, table, makeTickets(1));
      expect(countLookups(result)).toBe(0);
      expect(await land(minter, result)).toEqual(tickets.slice(0, 4).map(({ ticketId }) => ticketId));
      expect(warnings.length).toBe(1);
      expect(String(warnings[0]?.problems)).toContain(problem);
    },
  );

  it("mints all the same when the node does not show the table, and uses it as soon as it does", async () => {
    const minter = await openMinter();
    const { cluster } = world.localnet;
    const bytes = cluster.findAccount(world.lookupTable)?.data ?? new Uint8Array();
    cluster.changeAccount(world.lookupTable, { bytes: new Uint8Array(56) });
    expect(countLookups(await sign(minter, world.lookupTable, makeTickets(1)))).toBe(0);
    cluster.changeAccount(world.lookupTable, { bytes });
    const later = await createUmiMinter({
      rpcUrl: world.localnet.url,
      walletSecretKey: world.walletSecretKey,
      treeAddress: world.tree,
    });
    expect(countLookups(await sign(later, world.lookupTable, makeTickets(1)))).toBe(1);
  });

  it("is not led astray by a table of a stranger: whatever else it holds, in whatever order, the mint is the same", async () => {
    const decoys = Array.from({ length: 6 }, () => publicKey(generateSolanaAddress()));
    const table = await makeTable([...decoys, ...listAddresses().toReversed(), ...decoys]);
    const minter = await openMinter();
    const tickets = makeTickets(5);
    const result = await sign(minter, table, tickets);
    expect(countLookups(result)).toBe(1);
    expect(await land(minter, result)).toEqual(tickets.map(({ ticketId }) => ticketId));
    const { loaded } = world.localnet.cluster.findEntry(result.signed?.signature ?? "")?.outcome ?? {};
    expect(new Set([...(loaded?.writable ?? []), ...(loaded?.readonly ?? [])])).toEqual(new Set(listAddresses()));
  });

  it("is not used in the slot in which it was filled, in which its places do not count yet", async () => {
    const { umi } = stranger;
    const { cluster } = world.localnet;
    const recentSlot = cluster.slotAt("finalized");
    const address = findAddressLookupTablePda(umi, { authority: umi.identity.publicKey, recentSlot });
    const work = createEmptyLut(umi, { address, recentSlot })
      .add(extendLut(umi, { address, addresses: listAddresses() }))
      .add(freezeLut(umi, { address }));
    await settle(stranger, work);
    const [table] = address;
    expect(countLookups(await sign(await openMinter(), table, makeTickets(1)))).toBe(0);
    cluster.tick(1);
    expect(countLookups(await sign(await openMinter(), table, makeTickets(1)))).toBe(1);
  });

  it("is made once: whoever provisions again finds it, and pays nothing", async () => {
    const tree = generateSolanaAddress();
    const made = await provisionLookupTable(stranger, tree);
    expect(made.isNew).toBe(true);
    const before = world.localnet.callCounts.get("sendTransaction");
    expect(await provisionLookupTable(stranger, tree)).toEqual({ ...made, isNew: false });
    expect(world.localnet.callCounts.get("sendTransaction")).toBe(before);
    expect(await world.treeKeeper.inspectLookupTable(made.address, tree)).toMatchObject({
      isFrozen: true,
      isActive: true,
      lacks: [],
    });
  });
});
