import { env } from "cloudflare:workers";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { eq, sql } from "drizzle-orm";
import type { AssetMover } from "#chain/asset-mover";
import { hashAssetLeaf } from "#chain/leaf-events";
import type { TreeState } from "#chain/tree-account";
import { encodeBase58 } from "#domain/base58";
import { climb, emptyNode, SparseTree } from "#domain/merkle-tree";
import type { ChainObservation } from "#domain/mint";
import type { AssetLeaf, TreeChange } from "#domain/tree-changes";
import type { Logger } from "#platform/logger";
import { consumeAssets } from "#queues/asset-consumer";
import type { AssetContext } from "#services/assets/advance-asset";
import { assetBurns, assetMoves, events, mintJobs, tickets, ticketTransfers } from "#storage/schema";
import { findFollowedTree, insertFollowedTree, storeTreeChanges } from "#storage/tree-index";
import { sellTickets, type SoldTickets } from "./sold-tickets.ts";

/** D1 of the test. */
export const db: DrizzleD1Database = drizzle(env.DB);
/** The time at which the tests play, Unix milliseconds. */
export const NOW_MS = 1_800_000_000_000;
const DEPTH = 3;
/** Number of the change that a scripted transaction makes. */
export const LANDED_SEQ = 2;

/** An address that may be anyone's. */
export function makeAddress(): string {
  return encodeBase58(crypto.getRandomValues(new Uint8Array(32)));
}

/** A ticket that is minted as the only leaf of a tree of its own, which D1 knows. */
export interface MintedTicket {
  readonly sold: SoldTickets;
  readonly ticketId: string;
  readonly tree: string;
  readonly assetId: string;
  readonly state: TreeState;
}

/** Sells a ticket and mints it to `ownerAddress`. */
export async function mintTicket(ownerAddress: string): Promise<MintedTicket> {
  const sold = await sellTickets(db, 1);
  const [ticketId = ""] = sold.ticketIds;
  const [tree, assetId] = [makeAddress(), makeAddress()];
  const hash = emptyNode(0);
  const hashes = { dataHash: hash, creatorHash: hash, collectionHash: hash, assetDataHash: hash };
  const leaf: AssetLeaf = { assetId, leafIndex: 0, ownerAddress, delegateAddress: ownerAddress, ...hashes, flags: 0 };
  const sparse = new SparseTree(DEPTH);
  const { path } = climb(hashAssetLeaf(leaf), sparse.prove(0), 0);
  const root = sparse.set(0, hashAssetLeaf(leaf));
  const change: TreeChange = { seq: 1, slot: 1, signature: "mint", index: 0, path, root, leaf };
  await insertFollowedTree(db, { address: tree, depth: DEPTH, bufferSize: 8, canopyDepth: 0 }, NOW_MS);
  const stored = await findFollowedTree(db, tree);
  if (stored !== undefined) await storeTreeChanges(env.DB, stored, [change], sparse.listChanged(), NOW_MS);
  const minted = { status: "MINTED", signature: "mint", assetId, leafIndex: 0 } as const;
  await db.update(mintJobs).set(minted).where(eq(mintJobs.ticketId, ticketId));
  await db.update(events).set({ collectionAddress: makeAddress() }).where(eq(events.id, sold.eventId));
  return { sold, ticketId, tree, assetId, state: { seq: 1, root, recent: [change] } };
}

/** Queues a move of the ticket's asset to this wallet, which is the ticket's from now on. */
export async function queueMove(
  { sold, ticketId }: MintedTicket,
  toAddress: string | null,
  queuedAtMs = NOW_MS,
): Promise<string> {
  const { tenantId, userId } = sold;
  const transferId = crypto.randomUUID();
  await db.insert(ticketTransfers).values({
    id: transferId,
    tenantId,
    ticketId,
    fromUserId: userId,
    toUserId: crypto.randomUUID(),
    status: "ACCEPTED",
    expiresAtMs: NOW_MS,
    createdAtMs: NOW_MS,
  });
  const times = { queuedAtMs, updatedAtMs: queuedAtMs };
  await db.insert(assetMoves).values({ transferId, tenantId, ticketId, toAddress, status: "QUEUED", ...times });
  await db.update(tickets).set({ walletAddress: toAddress }).where(eq(tickets.id, ticketId));
  return transferId;
}

/** Queues the burn of a ticket's asset, in the words that the projection of refunds uses. */
export async function queueBurn(tenantId: string, ticketId: string, queuedAtMs = NOW_MS): Promise<void> {
  await db.run(sql`INSERT INTO asset_burns (ticket_id, tenant_id, status, queued_at_ms, updated_at_ms)
    VALUES (${ticketId}, ${tenantId}, 'QUEUED', ${queuedAtMs}, ${queuedAtMs}) ON CONFLICT (ticket_id) DO NOTHING`);
}

/** The row of a move. */
export const findMove = (transferId: string) => db.select().from(assetMoves).where(eq(assetMoves.transferId, transferId)).get();
/** The row of a burn. */
export const findBurn = (ticketId: string) => db.select().from(assetBurns).where(eq(assetBurns.ticketId, ticketId)).get();

/** A chain in a few variables: what it says of any signature, and what was asked of it. */
export class ScriptedMover implements AssetMover {
  readonly walletAddress = makeAddress();
  readonly signed: string[] = [];
  readonly sent: string[] = [];
  seen: ChainObservation["seen"] = "unknown";
  finalizedBlockHeight = 0;
  failure: Error | undefined;
  isWalletFunded = true;

  isFunded = () => Promise.resolve(this.isWalletFunded);
  signMove = () => this.#sign("move");
  signBurn = () => this.#sign("burn");
  send(wireBase64: string): Promise<string | null> {
    this.sent.push(wireBase64);
    return Promise.resolve(null);
  }
  observe(): Promise<ChainObservation> {
    return Promise.resolve({ seen: this.seen, finalizedBlockHeight: this.finalizedBlockHeight, error: null });
  }
  #sign(kind: string) {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const signature = `${kind} ${this.signed.length} ${crypto.randomUUID()}`;
    this.signed.push(signature);
    return Promise.resolve({ signature, wireBase64: `wire of ${signature}`, lastValidBlockHeight: 150 });
  }
}

/** How a consumer answered one message. */
export interface AssetAnswer {
  readonly answer: "ack" | "retry";
  readonly delaySeconds: number | undefined;
}

/** The queue's consumer with a scripted chain under it, and what it logged. */
export function makeAssetBench(minted: readonly MintedTicket[] = []) {
  const mover = new ScriptedMover();
  const logLines: string[] = [];
  const note = (message: string, fields?: object): void => void logLines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  const ctx: AssetContext = {
    db,
    d1: env.DB,
    mover,
    logger,
    nowMs: NOW_MS,
    defaultTree: "default",
    mintQueue: { sendBatch: () => Promise.resolve() },
    das: { findLeaf: () => Promise.resolve(undefined) },
    trees: {
      findShape: () => Promise.resolve(undefined),
      readState: (tree) => {
        const found = minted.find((each) => each.tree === tree);
        return found === undefined ? Promise.reject(new Error("no such tree")) : Promise.resolve(found.state);
      },
      listSignatures: () => Promise.resolve([]),
      listLeftOut: () => Promise.resolve([]),
      readChanges: (_, signature) => {
        const [index, path, root, leaf] = [0, [], emptyNode(0), null];
        return Promise.resolve([{ seq: LANDED_SEQ, slot: 2, signature, index, path, root, leaf }]);
      },
      hashLeaf: hashAssetLeaf,
    },
  };
  return {
    mover,
    ctx,
    logLines,
    async consume(bodies: readonly unknown[], attempts = 1): Promise<AssetAnswer[]> {
      const answers: AssetAnswer[] = [];
      const messages = bodies.map((body, index) => ({
        id: String(index),
        body,
        attempts,
        ack: () => void (answers[index] = { answer: "ack", delaySeconds: undefined }),
        retry: (options?: QueueRetryOptions) =>
          void (answers[index] = { answer: "retry", delaySeconds: options?.delaySeconds }),
      }));
      // The consumer uses a batch's messages and name only.
      await consumeAssets(ctx, { queue: "assets", messages } as unknown as MessageBatch);
      return answers;
    },
  };
}
