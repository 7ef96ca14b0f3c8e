import { env } from "cloudflare:workers";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import { eq } from "drizzle-orm";
import type { MintBatch, MintedLeaf, Minter, SigningResult } from "#chain/minter";
import type { SubmittedTransaction } from "#chain/observe-signatures";
import type { TreeKeeper } from "#chain/tree-keeper";
import type { CollectionFacts, Inspected, LookupTableFacts, TreeFacts } from "#domain/chain-suitability";
import type { ChainObservation } from "#domain/mint";
import type { TransactionVersion } from "#domain/mint-batches";
import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { consumeMints } from "#queues/mint-consumer";
import type { MintContext } from "#services/mint/mint-context";
import type { MintQueue } from "#services/mint/queue-mint";
import { mintJobs, orders } from "#storage/schema";
import type { SoldTickets } from "./sold-tickets.ts";

/** D1 of the test. */
export const db: DrizzleD1Database = drizzle(env.DB);
/** The time at which the tests play, Unix milliseconds. */
export const NOW_MS = 1_800_000_000_000;
const COLLECTION = "CoLLection1111111111111111111111111111111111";

/** A lookup table that any mint may use. */
export const GOOD_LOOKUP_TABLE: LookupTableFacts = {
  isFrozen: true,
  isActive: true,
  isSettled: true,
  addresses: [],
  lacks: [],
};
const LOOKUP_TABLE = "LookUpTab1e11111111111111111111111111111111";

/** How a consumer answered one message. */
export interface Answer {
  readonly ticketId: string;
  readonly answer: "ack" | "retry";
  readonly delaySeconds: number | undefined;
}

/** A chain in a few variables: what it says of any signature, and what was asked of it. */
export class ScriptedMinter implements Minter {
  readonly walletAddress = "wallet";
  transactionVersion: TransactionVersion = 0;
  readonly signed: string[] = [];
  /** The tree of each signed mint. */
  readonly signedFor: string[] = [];
  /** The lookup table of each signed mint. */
  readonly signedWith: (string | null | undefined)[] = [];
  leafIndex = 7;
  readonly sent: string[] = [];
  /** Tickets of each transaction signed. */
  readonly batches: (readonly string[])[] = [];
  /** Signatures of each look at the chain. */
  readonly looks: (readonly string[])[] = [];
  /** Tickets for which no transaction can be built. */
  readonly unfit = new Set<string>();
  seen: ChainObservation["seen"] = "unknown";
  finalizedBlockHeight = 0;
  complaint: string | null = null;
  /** Why the transaction failed on chain. */
  error: string | null = null;
  failure: Error | undefined;
  isFull = true;

  isFunded(): Promise<boolean> {
    return Promise.resolve(this.isFull);
  }
  ensureCollection(): Promise<{ address: string; isReady: boolean }> {
    return this.failure === undefined ? Promise.resolve({ address: COLLECTION, isReady: true }) : Promise.reject(this.failure);
  }
  signMints({ tickets, treeAddress, lookupTableAddress }: MintBatch): Promise<SigningResult> {
    const unfit = tickets.filter(({ ticketId }) => this.unfit.has(ticketId));
    const ticketIds = tickets.filter((ticket) => !unfit.includes(ticket)).map(({ ticketId }) => ticketId);
    const refused = unfit.map(({ ticketId }) => ({ ticketId, reason: "no address" }));
    if (ticketIds.length === 0) return Promise.resolve({ signed: null, ticketIds, unfit: refused });
    this.signedFor.push(treeAddress);
    this.signedWith.push(lookupTableAddress);
    const signature = `${ticketIds.join("+")} signature ${this.signed.length}`;
    this.signed.push(signature);
    this.batches.push(ticketIds);
    const signed = { signature, wireBase64: `wire of ${signature}`, lastValidBlockHeight: 150 };
    return Promise.resolve({ signed, ticketIds, unfit: refused });
  }
  sendMints(wireBase64: string): Promise<string | null> {
    this.sent.push(wireBase64);
    return Promise.resolve(this.complaint);
  }
  observe(submitted: readonly SubmittedTransaction[]): Promise<ReadonlyMap<string, ChainObservation>> {
    this.looks.push(submitted.map(({ signature }) => signature));
    const { seen, finalizedBlockHeight, error } = this;
    return Promise.resolve(new Map(submitted.map(({ signature }) => [signature, { seen, finalizedBlockHeight, error }])));
  }
  findMintedLeaves(signature: string): Promise<readonly MintedLeaf[]> {
    const [tickets = ""] = signature.split(" ");
    const leafOf = (ticketId: string, place: number): MintedLeaf => ({
      uri: `https://tickets.test/nft/${ticketId}`,
      assetId: "asset",
      leafIndex: this.leafIndex + place,
    });
    return Promise.resolve(tickets.split("+").map(leafOf));
  }
}

/** Trees in a few variables: what is at any address, and what was asked for. */
export class ScriptedTrees implements TreeKeeper {
  readonly walletAddress = "wallet";
  readonly defaultTreeAddress = "DefauLtTree11111111111111111111111111111111";
  defaultLookupTableAddress: string | null = null;
  readonly opened: string[] = [];
  /** Address of the table that the wallet has made for a tree. */
  openedTable: string | null = LOOKUP_TABLE;
  lookupTable: Inspected<LookupTableFacts> = GOOD_LOOKUP_TABLE;
  /** What the node says of a tree to be made; null: it is on chain. */
  complaint: string | null = null;
  tree: Inspected<TreeFacts> = "missing";
  collection: Inspected<CollectionFacts> = "missing";
  failure: Error | undefined;

  deriveTreeAddress({ tenantId, number }: { tenantId: string; number: number }): Promise<string> {
    return Promise.resolve(`${tenantId} tree ${number}`);
  }
  openTree({ tenantId, number }: { tenantId: string; number: number }): Promise<string | null> {
    this.opened.push(`${tenantId} tree ${number}`);
    return this.#answer(this.complaint);
  }
  openLookupTable(): Promise<string | null> {
    return this.#answer(this.openedTable);
  }
  inspectLookupTable(): Promise<Inspected<LookupTableFacts>> {
    return this.#answer(this.lookupTable);
  }
  inspectTree(): Promise<Inspected<TreeFacts>> {
    return this.#answer(this.tree);
  }
  inspectCollection(): Promise<Inspected<CollectionFacts>> {
    return this.#answer(this.collection);
  }
  #answer<T>(value: T): Promise<T> {
    return this.failure === undefined ? Promise.resolve(value) : Promise.reject(this.failure);
  }
}

/** A mint queue's consumer with a scripted chain under it, and what it logged. */
export interface MintBench {
  readonly minter: ScriptedMinter;
  readonly treeKeeper: ScriptedTrees;
  readonly ctx: MintContext;
  readonly logLines: string[];
  /** Delivers these bodies in one batch. */
  consume(bodies: readonly unknown[], attempts?: number, consumer?: typeof consumeMints): Promise<Answer[]>;
}

/** A fresh one for each test. */
export function makeMintBench(): MintBench {
  const minter = new ScriptedMinter();
  const treeKeeper = new ScriptedTrees();
  const logLines: string[] = [];
  const note = (message: string, fields?: object): void => void logLines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger };
  const ctx: MintContext = { db, minter, treeKeeper, logger, nowMs: NOW_MS, publicBaseUrl: "https://tickets.test" };
  return {
    minter,
    treeKeeper,
    ctx,
    logLines,
    async consume(bodies, attempts = 1, consumer = consumeMints) {
      const { batch, answers } = makeBatch(bodies, attempts);
      await consumer(ctx, batch);
      return answers;
    },
  };
}

/** A queue that only remembers what it was given. */
export function collectInto(sent: MintMessage[]): MintQueue {
  return {
    sendBatch(messages) {
      for (const { body } of messages) sent.push(body);
      return Promise.resolve();
    },
  };
}

function makeBatch(bodies: readonly unknown[], attempts = 1): { batch: MessageBatch; answers: Answer[] } {
  const answers: Answer[] = [];
  const messages = bodies.map((body, index) => {
    const ticketId = (body as Partial<MintMessage> | null)?.ticketId ?? "";
    return {
      id: String(index),
      timestamp: new Date(NOW_MS),
      body,
      attempts,
      ack: () => void answers.push({ ticketId, answer: "ack", delaySeconds: undefined }),
      retry: (options?: QueueRetryOptions) =>
        void answers.push({ ticketId, answer: "retry", delaySeconds: options?.delaySeconds }),
    };
  });
  // The consumers use a batch's messages and name only.
  return { batch: { queue: "mint", messages } as unknown as MessageBatch, answers };
}

/** The messages that the desk sends for these tickets. */
export function messagesOf(sold: SoldTickets): MintMessage[] {
  return sold.ticketIds.map((ticketId) => ({ ticketId, tenantId: sold.tenantId }));
}

/** The mint job of a ticket. */
export async function findJob(ticketId: string | undefined): Promise<typeof mintJobs.$inferSelect | undefined> {
  return db
    .select()
    .from(mintJobs)
    .where(eq(mintJobs.ticketId, ticketId ?? ""))
    .get();
}

/** The status of an order in D1. */
export async function findOrderStatus(orderId: string): Promise<string | undefined> {
  return (await db.select().from(orders).where(eq(orders.id, orderId)).get())?.status;
}
