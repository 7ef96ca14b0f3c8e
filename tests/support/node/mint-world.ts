import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { eq } from "drizzle-orm";
import { hashMetadataDataV2 } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Minter } from "#chain/minter";
import type { TreeKeeper } from "#chain/tree-keeper";
import type { ChainConfig } from "#chain/chain-config";
import { createUmiMinter } from "#chain/umi-minter";
import { createUmiTreeKeeper } from "#chain/umi-tree-keeper";
import { applyMigrations } from "#dev/apply-migrations";
import { findProgramsDir } from "#dev/localnet/program-files";
import { provision } from "#dev/localnet/provision";
import { startLocalnet, type LocalNode, type Localnet } from "#dev/localnet/start-localnet";
import { readTree } from "#dev/localnet/tree-reader";
import { D1Server, type ReachD1 } from "#dev/simulate/d1-server";
import { generateSolanaWallet } from "#dev/secrets";
import { fitOnChainName } from "#domain/on-chain-name";
import type { Logger } from "#platform/logger";
import { advanceMints } from "#services/mint/advance-mints";
import type { MintContext } from "#services/mint/mint-context";
import type { MintProgress } from "#services/mint/mint-outcomes";
import { events, mintJobs, orders } from "#storage/schema";
import { EVENT_NAME, TYPE_NAME, sellTickets, type SoldTickets } from "../sold-tickets.ts";

/** Where the metadata of the tests would be. */
export const PUBLIC_BASE_URL = "https://tickets.test";
/** A round of deliveries, then a few slots: enough rounds for any fault here to pass, few enough to end when one never does. */
const MAX_ROUNDS = 400;

/** Time that a slot stands for, here where slots pass only when a test says so. */
export const SLOT_MS = 400;
/** A logger that says nothing. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => SILENT,
};

/** A local chain whose slots the test makes, a real D1, and the minter between them. */
export interface MintWorld {
  readonly localnet: Localnet;
  /** The addresses that the minter asks, in that order; the first is the local chain's own. */
  readonly nodes: readonly LocalNode[];
  readonly tree: string;
  /** Of that tree; the minter uses it unless the world was opened without. */
  readonly lookupTable: string;
  /** Base58 of the minting wallet's secret key. */
  readonly walletSecretKey: string;
  readonly minter: Minter;
  readonly treeKeeper: TreeKeeper;
  /** Signs under a new blockhash each time, so that two deliveries which sign at once never make the same bytes. */
  readonly racingMinter: Minter;
  readonly db: DrizzleD1Database;
  readonly d1: D1Database;
  sellTickets(count: number): Promise<SoldTickets>;
  /** One delivery of a ticket's message by itself. `minter` replaces the real one. */
  deliver(sold: SoldTickets, ticketId: string, minter?: Minter): Promise<MintProgress>;
  /** One delivery of several tickets' messages together. */
  deliverTogether(sold: SoldTickets, ticketIds: readonly string[], minter?: Minter): Promise<MintProgress[]>;
  /** Delivers every message together, in `copies` batches at once, slots passing between the rounds, until all are settled. */
  drain(sold: SoldTickets, copies?: number, minter?: Minter): Promise<void>;
  findJob(ticketId: string): Promise<typeof mintJobs.$inferSelect>;
  findOrderStatus(orderId: string): Promise<string>;
  /** Leaves in the tree for each ticket, counted by the hash of the metadata that names it. */
  countLeaves(sold: SoldTickets): Promise<number[]>;
  close(): Promise<void>;
}

/** How a world differs from the plain one. */
export interface MintWorldOptions {
  readonly finalityLagSlots?: number;
  /** Nodes that are asked when the first one fails. */
  readonly spareNodes?: number;
  /** Puts SQLite in this process in D1's place, some ten times as fast, and says how each call reaches it. */
  readonly reachD1?: ReachD1;
  /** False: mints name every address themselves. */
  readonly hasLookupTable?: boolean;
  /** What the minter is configured with beside its addresses. */
  readonly minting?: Partial<ChainConfig>;
}

/** @param mode whose code the chain runs. */
export async function openMintWorld(mode: "programs" | "emulator", options: MintWorldOptions = {}): Promise<MintWorld> {
  const { finalityLagSlots = 4, spareNodes = 0, hasLookupTable = true, minting = {} } = options;
  const localnet = await startLocalnet({
    port: 0,
    slotMs: 0,
    finalityLagSlots,
    programsDir: findProgramsDir(),
    forceEmulator: mode === "emulator",
  });
  const walletSecretKey = generateSolanaWallet();
  const { tree, lookupTable } = await provision(localnet.url, walletSecretKey);
  // A table can be used from the slot after the one that filled it.
  localnet.cluster.tick(1);
  const readClockMs = (): number => localnet.cluster.slotAt("processed") * SLOT_MS;
  const nodes: LocalNode[] = [localnet];
  while (nodes.length <= spareNodes) nodes.push(await localnet.openNode());
  const rpcUrl = nodes.map(({ url }) => url).join(",");
  const tables = hasLookupTable ? { lookupTableAddress: lookupTable } : {};
  const config = { rpcUrl, walletSecretKey, treeAddress: tree, readClockMs, ...tables, ...minting };
  const [minter, treeKeeper] = await Promise.all([createUmiMinter(config), createUmiTreeKeeper(config)]);
  const opened = options.reachD1 === undefined ? await openMiniflareD1() : await openSqliteD1(options.reachD1);
  const { d1, db } = opened;
  const ctxWith = (used: Minter): MintContext => ({
    db,
    minter: used,
    treeKeeper,
    publicBaseUrl: PUBLIC_BASE_URL,
    nowMs: Date.now(),
    logger: SILENT,
  });
  const deliverTogether: MintWorld["deliverTogether"] = async (sold, ticketIds, used = minter) => {
    const messages = ticketIds.map((ticketId) => ({ ticketId, tenantId: sold.tenantId }));
    const outcomes = await advanceMints(ctxWith(used), messages);
    return messages.map((message) => outcomes.of(message).progress);
  };
  const deliver: MintWorld["deliver"] = async (sold, ticketId, used) =>
    (await deliverTogether(sold, [ticketId], used))[0] ?? "later";

  return {
    localnet,
    nodes,
    tree,
    lookupTable,
    walletSecretKey,
    minter,
    treeKeeper,
    racingMinter: makeRacingMinter(localnet, minter),
    db,
    d1,
    sellTickets: (count) => sellTickets(db, count),
    deliver,
    deliverTogether,
    async drain(sold, copies = 1, used = minter) {
      let open = [...sold.ticketIds];
      for (let round = 0; open.length > 0; round += 1) {
        if (round === MAX_ROUNDS) throw new Error(`not minted after ${MAX_ROUNDS} rounds: ${open.join(", ")}`);
        const deliveries = Array.from({ length: copies }, () => deliverTogether(sold, open, used));
        const answers = await Promise.all(deliveries);
        open = open.filter((_, index) => answers.every((answer) => answer[index] !== "settled"));
        localnet.cluster.tick(3);
      }
    },
    async findJob(ticketId) {
      const job = await db.select().from(mintJobs).where(eq(mintJobs.ticketId, ticketId)).get();
      if (job === undefined) throw new Error(`no job of ${ticketId}`);
      return job;
    },
    async findOrderStatus(orderId) {
      const order = await db.select({ status: orders.status }).from(orders).where(eq(orders.id, orderId)).get();
      return order?.status ?? "none";
    },
    countLeaves: (sold) => countLeaves(localnet.url, tree, db, sold),
    async close() {
      await localnet.close();
      await opened.close();
    },
  };
}

interface OpenedD1 {
  readonly d1: D1Database;
  readonly db: DrizzleD1Database;
  close(): Promise<void>;
}

async function openMiniflareD1(): Promise<OpenedD1> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {}",
      d1Databases: ["DB"],
      cf: false,
      telemetry: { enabled: false },
    }),
  );
  const binding = await miniflare.getD1Database("DB");
  await applyMigrations(binding);
  const d1 = binding as never; // Two type packages describe one D1; this one speaks the real protocol.
  return { d1, db: drizzle(d1), close: () => miniflare.dispose() };
}

async function openSqliteD1(reach: ReachD1): Promise<OpenedD1> {
  const server = new D1Server();
  await applyMigrations(server.open((work) => Promise.resolve(work())));
  const d1 = server.open(reach);
  return { d1, db: drizzle(d1), close: () => Promise.resolve() };
}

function makeRacingMinter(localnet: Localnet, minter: Minter): Minter {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ...minter,
    signMints(batch) {
      const signing = turn.then(() => {
        // As long as a blockhash is used again.
        localnet.cluster.tick(10);
        return minter.signMints(batch);
      });
      turn = signing.catch(() => undefined);
      return signing;
    },
  };
}

/** Leaves in the tree for each ticket, counted by the hash of the metadata that names it. */
async function countLeaves(url: string, tree: string, db: DrizzleD1Database, sold: SoldTickets): Promise<number[]> {
  const { leaves, computedRoot, accountRoot } = await readTree(url, tree);
  if (computedRoot !== accountRoot) throw new Error("the leaves in the ledger don't give the tree's root");
  const event = await db.select().from(events).where(eq(events.id, sold.eventId)).get();
  const collection = publicKey(event?.collectionAddress ?? "11111111111111111111111111111111");
  const name = fitOnChainName(`${EVENT_NAME} · ${TYPE_NAME}`);
  const counts = new Map<string, number>();
  for (const { leaf } of leaves) counts.set(toHex(leaf.dataHash), (counts.get(toHex(leaf.dataHash)) ?? 0) + 1);
  return sold.ticketIds.map((ticketId) => {
    const uri = `${PUBLIC_BASE_URL}/nft/${ticketId}`;
    const hash = hashMetadataDataV2({ name, uri, sellerFeeBasisPoints: 0, creators: [], collection });
    return counts.get(toHex(hash)) ?? 0;
  });
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
