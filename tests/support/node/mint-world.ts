import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { eq } from "drizzle-orm";
import { hashMetadataDataV2 } from "@metaplex-foundation/mpl-bubblegum";
import { publicKey } from "@metaplex-foundation/umi";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Minter } from "#chain/minter";
import type { TreeKeeper } from "#chain/tree-keeper";
import { createUmiMinter } from "#chain/umi-minter";
import { createUmiTreeKeeper } from "#chain/umi-tree-keeper";
import { applyMigrations } from "#dev/apply-migrations";
import { findProgramsDir } from "#dev/localnet/program-files";
import { provision } from "#dev/localnet/provision";
import { startLocalnet, type Localnet } from "#dev/localnet/start-localnet";
import { readTree } from "#dev/localnet/tree-reader";
import { generateSolanaWallet } from "#dev/secrets";
import { fitOnChainName } from "#domain/mint";
import { advanceMint, type MintContext, type MintProgress } from "#services/mint/advance-mint";
import { events, mintJobs, orders } from "#storage/schema";
import { EVENT_NAME, TYPE_NAME, sellTickets, type SoldTickets } from "../sold-tickets.ts";

/** Where the metadata of the tests would be. */
export const PUBLIC_BASE_URL = "https://tickets.test";
/** A round of deliveries, then a few slots: enough rounds for any fault here to pass, few enough to end when one never does. */
const MAX_ROUNDS = 400;

/** A local chain whose slots the test makes, a real D1, and the minter between them. */
export interface MintWorld {
  readonly localnet: Localnet;
  readonly tree: string;
  /** Base58 of the minting wallet's secret key. */
  readonly walletSecretKey: string;
  readonly minter: Minter;
  readonly trees: TreeKeeper;
  /** Lets a slot pass after each signature, so that two deliveries which sign at once never make the same bytes. */
  readonly racingMinter: Minter;
  readonly db: DrizzleD1Database;
  readonly d1: D1Database;
  sellTickets(count: number): Promise<SoldTickets>;
  /** One delivery of a ticket's message. `minter` replaces the real one. */
  deliver(sold: SoldTickets, ticketId: string, minter?: Minter): Promise<MintProgress>;
  /** Delivers every message, `copies` at once, slots passing between the rounds, until all are settled. */
  drain(sold: SoldTickets, copies?: number, minter?: Minter): Promise<void>;
  findJob(ticketId: string): Promise<typeof mintJobs.$inferSelect>;
  findOrderStatus(orderId: string): Promise<string>;
  /** Leaves in the tree for each ticket, counted by the hash of the metadata that names it. */
  countLeaves(sold: SoldTickets): Promise<number[]>;
  close(): Promise<void>;
}

/** @param mode whose code the chain runs. */
export async function openMintWorld(mode: "programs" | "emulator", finalityLagSlots = 4): Promise<MintWorld> {
  const localnet = await startLocalnet({
    port: 0,
    slotMs: 0,
    finalityLagSlots,
    programsDir: findProgramsDir(),
    forceEmulator: mode === "emulator",
  });
  const walletSecretKey = generateSolanaWallet();
  const { tree } = await provision(localnet.url, walletSecretKey);
  const config = { rpcUrl: localnet.url, walletSecretKey, treeAddress: tree };
  const [minter, trees] = await Promise.all([createUmiMinter(config), createUmiTreeKeeper(config)]);
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
  const db = drizzle(d1);
  const ctxWith = (used: Minter): MintContext => {
    return { db, minter: used, trees, publicBaseUrl: PUBLIC_BASE_URL, nowMs: Date.now() };
  };
  const deliver = (sold: SoldTickets, ticketId: string, used: Minter = minter): Promise<MintProgress> =>
    advanceMint(ctxWith(used), { ticketId, tenantId: sold.tenantId });

  return {
    localnet,
    tree,
    walletSecretKey,
    minter,
    trees,
    racingMinter: {
      ...minter,
      async signMint(ticket) {
        const signed = await minter.signMint(ticket);
        localnet.cluster.tick(1);
        return signed;
      },
    },
    db,
    d1,
    sellTickets: (count) => sellTickets(db, count),
    deliver,
    async drain(sold, copies = 1, used = minter) {
      let open = [...sold.ticketIds];
      for (let round = 0; open.length > 0; round += 1) {
        if (round === MAX_ROUNDS) throw new Error(`not minted after ${MAX_ROUNDS} rounds: ${open.join(", ")}`);
        const deliveries = open.flatMap((ticketId) => Array.from({ length: copies }, () => deliver(sold, ticketId, used)));
        const answers = await Promise.all(deliveries);
        open = open.filter((_, index) => !answers.slice(index * copies, (index + 1) * copies).includes("settled"));
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
      await miniflare.dispose();
    },
  };
}

async function countLeaves(url: string, tree: string, db: DrizzleD1Database, sold: SoldTickets): Promise<number[]> {
  const { leaves, computedRoot, accountRoot } = await readTree(url, tree);
  if (computedRoot !== accountRoot) throw new Error("the leaves in the ledger don't give the tree's root");
  const event = await db.select().from(events).where(eq(events.id, sold.eventId)).get();
  const collection = publicKey(event?.collectionAddress ?? "11111111111111111111111111111111");
  return sold.ticketIds.map((ticketId) => {
    const dataHash = hashMetadataDataV2({
      name: fitOnChainName(`${EVENT_NAME} · ${TYPE_NAME}`),
      uri: `${PUBLIC_BASE_URL}/nft/${ticketId}`,
      sellerFeeBasisPoints: 0,
      creators: [],
      collection,
    });
    return leaves.filter(({ leaf }) => Buffer.compare(leaf.dataHash, dataHash) === 0).length;
  });
}
