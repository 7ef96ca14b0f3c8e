import type { MintBatch, Minter, MintedLeaf, SigningResult } from "#chain/minter";
import type { SubmittedTransaction } from "#chain/observe-signatures";
import type { TreeKeeper } from "#chain/tree-keeper";
import type { ChainObservation } from "#domain/mint";
import type { Stage } from "./stage.ts";

/** Slot time, the life of a blockhash and the wait until a block is final (shorter than Solana has it), the last two in blocks. */
const SLOT_MS = 400;
const BLOCKHASH_LIFE = 150;
const BLOCKS_TO_FINALITY = 5;
/** Transactions that the node takes and loses, and those that fail on chain. */
const DROPPED = 0.2;
const FAILED = 0.02;

interface Transaction {
  readonly ticketIds: readonly string[];
  readonly lastValidBlockHeight: number;
  /** In which block it is; undefined while in none. */
  height: number | undefined;
  isFailed: boolean;
}

/** One tree for every tenant, and never full. */
export const SIMULATED_TREES: TreeKeeper = {
  walletAddress: "wallet",
  defaultTreeAddress: "tree",
  defaultLookupTableAddress: null,
  deriveTreeAddress: () => Promise.resolve("another tree"),
  openTree: () => Promise.resolve("the simulation makes no trees"),
  openLookupTable: () => Promise.resolve(null),
  inspectLookupTable: () => Promise.resolve("missing"),
  inspectTree: () => Promise.resolve("missing"),
  inspectCollection: () => Promise.resolve("missing"),
};

/** A chain that keeps the rules which minting relies on: the same bytes land once, and never after their last valid block. */
export class SimulatedChain implements Minter {
  readonly walletAddress = "wallet";
  readonly transactionVersion = 0;
  readonly treeAddress = "tree";
  /** Leaves in the tree, by ticket: more than one, and a ticket was minted twice. */
  readonly leaves = new Map<string, number>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  ensureCollection(): Promise<{ readonly address: string; readonly isReady: boolean }> {
    return this.#ask("collection", () => ({ address: "collection", isReady: true }));
  }

  isFunded(): Promise<boolean> {
    return this.#ask("balance", () => true);
  }

  signMints({ tickets }: MintBatch): Promise<SigningResult> {
    return this.#ask("blockhash", () => {
      const ticketIds = tickets.map(({ ticketId }) => ticketId);
      const signature = `signature-${this.#transactions.size + 1}`;
      const lastValidBlockHeight = this.#height + BLOCKHASH_LIFE;
      this.#transactions.set(signature, { ticketIds, lastValidBlockHeight, height: undefined, isFailed: false });
      return { signed: { signature, wireBase64: signature, lastValidBlockHeight }, ticketIds, unfit: [] };
    });
  }

  sendMints(wireBase64: string): Promise<string | null> {
    return this.#ask("send", () => {
      const { random } = this.#stage.world;
      const transaction = this.#find(wireBase64);
      if (random.chance(DROPPED)) return "the node is busy";
      const height = this.#height + random.between(1, 5);
      if (transaction.height !== undefined || height > transaction.lastValidBlockHeight) return null;
      transaction.height = height;
      transaction.isFailed = random.chance(FAILED);
      if (!transaction.isFailed) for (const ticketId of transaction.ticketIds) this.#addLeaf(ticketId);
      return null;
    });
  }

  observe(submitted: readonly SubmittedTransaction[]): Promise<ReadonlyMap<string, ChainObservation>> {
    return this.#ask("status", () => new Map(submitted.map(({ signature }) => [signature, this.#look(signature)])));
  }

  findMintedLeaves(signature: string): Promise<readonly MintedLeaf[]> {
    return this.#ask("leaves", () =>
      this.#find(signature).ticketIds.map((id) => ({ uri: `simulated/${id}`, assetId: `asset of ${id}`, leafIndex: 0 })),
    );
  }

  #look(signature: string): ChainObservation {
    const { height, isFailed } = this.#find(signature);
    const finalizedBlockHeight = this.#height - BLOCKS_TO_FINALITY;
    const error = isFailed ? "out of luck" : null;
    if (height === undefined || height > this.#height) return { seen: "unknown", finalizedBlockHeight, error: null };
    if (height > finalizedBlockHeight) return { seen: "in_flight", finalizedBlockHeight, error: null };
    return { seen: isFailed ? "failed" : "succeeded", finalizedBlockHeight, error };
  }

  get #height(): number {
    return Math.floor(this.#stage.world.loop.nowMs / SLOT_MS);
  }

  #find(signature: string): Transaction {
    const transaction = this.#transactions.get(signature);
    if (!transaction) throw new Error(`nobody signed ${signature}`);
    return transaction;
  }

  #addLeaf(ticketId: string): void {
    const count = (this.leaves.get(ticketId) ?? 0) + 1;
    this.leaves.set(ticketId, count);
    if (count > 1) this.#stage.world.fail(`ticket ${ticketId} was minted ${count} times`);
  }

  #ask<T>(subject: string, work: () => T): Promise<T> {
    const { network, worker } = this.#stage;
    const letter = { from: worker, subject: `chain.${subject}`, mayComeTwice: false };
    return network.call(letter, (answer) => answer(work()));
  }
}
