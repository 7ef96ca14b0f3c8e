import { eq, sql } from "drizzle-orm";
import { createAssetChain, type AssetChain, type AssetMover } from "#chain/asset-mover";
import { generateSolanaAddress } from "#dev/secrets";
import { readTree } from "#dev/localnet/tree-reader";
import { advanceAsset, type AssetContext, type AssetProgress } from "#services/assets/advance-asset";
import type { Logger } from "#platform/logger";
import { assetBurns, assetMoves, mintJobs, tickets } from "#storage/schema";
import { completeTransfer, claimTransfer } from "#storage/transfer-acceptance";
import { insertTransfer } from "#storage/transfers";
import type { SoldTickets } from "../sold-tickets.ts";
import { openMintWorld, type MintWorld } from "./mint-world.ts";

/** A round of deliveries, then a few slots: enough rounds for any fault here to pass, few enough to end when one never does. */
const MAX_ROUNDS = 400;

/** Tickets that are minted, change hands and are cancelled, on a chain whose slots the test makes. */
export interface AssetWorld extends MintWorld {
  readonly chain: AssetChain;
  /** Lines that were logged, by message. */
  readonly logged: string[];
  /** What services work with; `change` replaces parts of it. */
  contextWith(change?: Partial<AssetContext>): AssetContext;
  /** A ticket whose mint is final. */
  mintOne(): Promise<{ readonly sold: SoldTickets; readonly ticketId: string }>;
  /** Passes a ticket on to somebody with this wallet, or none, as an accepted offer does. */
  passOn(sold: SoldTickets, ticketId: string, walletAddress: string | null): Promise<void>;
  /** Cancels a ticket as a refund does. */
  cancel(sold: SoldTickets, ticketId: string): Promise<void>;
  deliverAsset(sold: SoldTickets, ticketId: string, change?: Partial<AssetContext>): Promise<AssetProgress>;
  /** Delivers the messages of these tickets, `copies` at once, slots passing between the rounds, until all are settled. */
  drainAssets(sold: SoldTickets, ticketIds: readonly string[], copies?: number, change?: Partial<AssetContext>): Promise<void>;
  /** Who the ledger says has the asset of a ticket; undefined when it is burnt or was never minted. */
  findHolder(ticketId: string): Promise<string | undefined>;
  /** A minted ticket that was passed on to somebody with a wallet. */
  mintAndPassOn(): Promise<{ readonly sold: SoldTickets; readonly ticketId: string; readonly walletAddress: string }>;
  /** Delivers until a first transaction is signed and stored, with trouble made just before it is sent. */
  submitFirst(sold: SoldTickets, ticketId: string, makeTrouble: () => void): Promise<void>;
  /** The first move of a ticket. */
  findMove(ticketId: string): Promise<typeof assetMoves.$inferSelect>;
  listMoves(ticketId: string): Promise<(typeof assetMoves.$inferSelect)[]>;
  findBurn(ticketId: string): Promise<typeof assetBurns.$inferSelect | undefined>;
}

/** @param mode whose code the chain runs. */
export async function openAssetWorld(mode: "programs" | "emulator", finalityLagSlots = 4): Promise<AssetWorld> {
  const world = await openMintWorld(mode, { finalityLagSlots });
  const { db, localnet, tree, walletSecretKey } = world;
  const chain = await createAssetChain({ rpcUrl: localnet.url, walletSecretKey });
  const logged: string[] = [];
  const note = (message: string): void => void logged.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  const contextWith = (change: Partial<AssetContext> = {}): AssetContext => ({
    ...chain,
    db,
    d1: world.d1,
    logger,
    nowMs: Date.now(),
    mintQueue: { sendBatch: () => Promise.resolve() },
    defaultTree: tree,
    ...change,
  });
  const deliverAsset = (sold: SoldTickets, ticketId: string, change?: Partial<AssetContext>): Promise<AssetProgress> =>
    advanceAsset(contextWith(change), { tenantId: sold.tenantId, ticketId });

  const listMoves = (ticketId: string): Promise<(typeof assetMoves.$inferSelect)[]> =>
    db.select().from(assetMoves).where(eq(assetMoves.ticketId, ticketId)).orderBy(assetMoves.queuedAtMs);
  const findBurn = (ticketId: string): Promise<typeof assetBurns.$inferSelect | undefined> =>
    db.select().from(assetBurns).where(eq(assetBurns.ticketId, ticketId)).get();
  const mintOne = async (): Promise<{ sold: SoldTickets; ticketId: string }> => {
    const sold = await world.sellTickets(1);
    await world.drain(sold);
    return { sold, ticketId: sold.ticketIds[0] ?? "" };
  };

  return {
    ...world,
    chain,
    logged,
    contextWith,
    deliverAsset,
    mintOne,
    async mintAndPassOn() {
      const [minted, walletAddress] = [await mintOne(), generateSolanaAddress()];
      await passOn(world, minted.sold, minted.ticketId, walletAddress);
      return { ...minted, walletAddress };
    },
    async submitFirst(sold, ticketId, makeTrouble) {
      const mover: AssetMover = {
        ...chain.mover,
        send(wire) {
          makeTrouble();
          return chain.mover.send(wire);
        },
      };
      for (let delivery = 0; delivery < 10; delivery += 1) {
        await deliverAsset(sold, ticketId, { mover });
        const works = [...(await listMoves(ticketId)), await findBurn(ticketId)];
        if (works.some((work) => work?.status === "SUBMITTED")) return;
        localnet.cluster.tick(2);
      }
      throw new Error("nothing was signed");
    },
    passOn: (sold, ticketId, walletAddress) => passOn(world, sold, ticketId, walletAddress),
    async cancel({ tenantId }, ticketId) {
      await db.update(tickets).set({ status: "CANCELLED" }).where(eq(tickets.id, ticketId));
      await db.run(sql`INSERT INTO asset_burns (ticket_id, tenant_id, status, queued_at_ms, updated_at_ms)
        VALUES (${ticketId}, ${tenantId}, 'QUEUED', ${Date.now()}, ${Date.now()}) ON CONFLICT (ticket_id) DO NOTHING`);
    },
    async drainAssets(sold, ticketIds, copies = 1, change = {}) {
      let open = [...ticketIds];
      for (let round = 0; open.length > 0; round += 1) {
        if (round === MAX_ROUNDS) throw new Error(`not settled after ${MAX_ROUNDS} rounds: ${open.join(", ")}`);
        const deliveries = open.flatMap((id) => Array.from({ length: copies }, () => deliverAsset(sold, id, change)));
        const answers = await Promise.all(deliveries);
        open = open.filter((_, index) => answers.slice(index * copies, (index + 1) * copies).includes("later"));
        localnet.cluster.tick(3);
      }
    },
    async findHolder(ticketId) {
      const { leaves, computedRoot, accountRoot } = await readTree(localnet.url, tree);
      if (computedRoot !== accountRoot) throw new Error("the leaves in the ledger don't give the tree's root");
      const job = await db.select().from(mintJobs).where(eq(mintJobs.ticketId, ticketId)).get();
      return leaves.find(({ leaf }) => leaf.assetId === job?.assetId)?.leaf.owner;
    },
    async findMove(ticketId) {
      const [move] = await listMoves(ticketId);
      if (move === undefined) throw new Error("no move was queued");
      return move;
    },
    listMoves,
    findBurn,
  };
}

let lastMs = 0;

/** Times of their own, so that moves of one ticket are in the order in which they were made. */
function nextMs(): number {
  lastMs = Math.max(lastMs + 1, Date.now());
  return lastMs;
}

async function passOn(
  { db }: MintWorld,
  { tenantId, eventId }: SoldTickets,
  ticketId: string,
  walletAddress: string | null,
): Promise<void> {
  const ticket = await db.select().from(tickets).where(eq(tickets.id, ticketId)).get();
  if (ticket === undefined) throw new Error("there is no such ticket");
  const [id, claimedByUserId, nowMs] = [crypto.randomUUID(), crypto.randomUUID(), nextMs()];
  const { ownerUserId: fromUserId, credentialEpoch } = ticket;
  const offer = { id, tenantId, ticketId, fromUserId, toUserId: claimedByUserId, emailFingerprint: null };
  await insertTransfer(db, { ...offer, createdAtMs: nowMs, expiresAtMs: nowMs + 60_000 });
  await claimTransfer(db, { tenantId, id, userId: claimedByUserId, walletAddress, nowMs });
  if ((await completeTransfer(db, { ...offer, eventId, claimedByUserId, credentialEpoch }, nowMs)) === undefined) {
    throw new Error("the ticket did not change hands");
  }
}
