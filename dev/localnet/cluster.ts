import { address, lamports } from "@solana/kit";
import { FailedTransactionMetadata } from "litesvm";
import type { ClusterState } from "./cluster-state.ts";
import type { Executor, Outcome } from "./executor.ts";
import { LOOKUP_TABLE_PROGRAM_ID, NOTHING_LOADED, findLoadedAddresses, listAccounts } from "./loaded-addresses.ts";
import {
  computeFeeLamports,
  decodeBase58,
  decodeTransaction,
  encodeBase58,
  type DecodedTransaction,
} from "./transaction-encoding.ts";

/** Blocks for which a blockhash stays good, as on Solana's clusters. */
export const BLOCKHASH_LIFE_BLOCKS = 150;

/** A transaction in a block. `decoded` is null for an airdrop, which has no bytes of its own here. */
export interface LedgerEntry {
  readonly decoded: DecodedTransaction | null;
  readonly slot: number;
  readonly blockTimeSeconds: number;
  readonly feeLamports: number;
  readonly outcome: Outcome;
  readonly preBalances: readonly number[];
  readonly postBalances: readonly number[];
}

/** An account as stored. */
export interface StoredAccount {
  readonly data: Uint8Array;
  readonly owner: string;
  readonly lamports: number;
  readonly executable: boolean;
}

/** What a cluster is made with. */
export interface ClusterOptions {
  readonly executor: Executor;
  /** Slots until a block can't be undone; a real cluster takes about 32. */
  readonly finalityLagSlots: number;
  /** Where an earlier cluster stopped; left out, the chain is new. */
  readonly state?: ClusterState | undefined;
  /** Gets all there is before a transaction becomes final, and again before a blockhash's life has passed. */
  readonly keep?: ((state: ClusterState) => void) | undefined;
}

/** Slots before the first block, so that height and slot differ, as they do on any real cluster. */
const FIRST_SLOT = 1_000;
const FIRST_HEIGHT = 900;
/** Slots before the newest that programs can know of, as on Solana's clusters. */
const SLOT_HASHES = 512;

/**
 * One node's view of a Solana cluster with one leader: slots, blockhashes with their life, the ledger, and transactions on
 * their way. Running a transaction is the executor's work.
 */
export class Cluster {
  readonly executor: Executor;
  readonly #finalityLagSlots: number;
  readonly #keep: ClusterOptions["keep"];
  readonly #lastValidHeights = new Map<string, number>();
  readonly #ledger = new Map<string, LedgerEntry>();
  readonly #signaturesByAddress = new Map<string, string[]>();
  /** Accounts that no transaction may name. */
  readonly #airdropped = new Set<string>();
  #delayed: { readonly decoded: DecodedTransaction; readonly dueSlot: number }[] = [];
  #slot = FIRST_SLOT;
  #height = FIRST_HEIGHT;
  #keptSlot = 0;
  /** Slot of the first transaction that nobody keeps yet. */
  #firstUnkeptSlot = Infinity;

  constructor({ executor, finalityLagSlots, state, keep }: ClusterOptions) {
    this.executor = executor;
    this.#finalityLagSlots = finalityLagSlots;
    this.#keep = keep;
    if (state !== undefined) this.#restore(state);
    this.tick(1);
  }

  /** Makes `count` blocks: each has a new blockhash, lets old ones die and takes up delayed transactions that are due. */
  tick(count: number): void {
    const { svm } = this.executor;
    for (let made = 0; made < count; made += 1) {
      this.#slot += 1;
      this.#height += 1;
      svm.expireBlockhash();
      svm.warpToSlot(BigInt(this.#slot));
      const clock = svm.getClock();
      clock.unixTimestamp = BigInt(readClockSeconds());
      svm.setClock(clock);
      this.#lastValidHeights.set(svm.latestBlockhash(), this.#height + BLOCKHASH_LIFE_BLOCKS);
      for (const [hash, lastValid] of this.#lastValidHeights) {
        if (lastValid < this.#height) this.#lastValidHeights.delete(hash);
      }
      const due = this.#delayed.filter((entry) => entry.dueSlot <= this.#slot);
      this.#delayed = this.#delayed.filter((entry) => entry.dueSlot > this.#slot);
      for (const { decoded } of due) this.include(decoded);
      this.#keepInTime();
    }
  }

  /** Slot at a commitment; anything but `finalized` is the newest. */
  slotAt(commitment: string | undefined): number {
    return commitment === "finalized" ? this.#slot - this.#finalityLagSlots : this.#slot;
  }

  /** Block height at a commitment. */
  heightAt(commitment: string | undefined): number {
    return commitment === "finalized" ? this.#height - this.#finalityLagSlots : this.#height;
  }

  latestBlockhash(): { readonly blockhash: string; readonly lastValidBlockHeight: number } {
    return this.blockhashBefore(0);
  }

  /** The newest blockhash of so many blocks ago, or the oldest that lives. */
  blockhashBefore(blocks: number): { readonly blockhash: string; readonly lastValidBlockHeight: number } {
    const living = [...this.#lastValidHeights];
    const [blockhash, lastValidBlockHeight] = living.at(-1 - blocks) ?? living[0] ?? ["", 0];
    return { blockhash, lastValidBlockHeight };
  }

  /** Whether a transaction with this blockhash could be in the block of so many blocks ago. */
  isBlockhashValid(blockhash: string, blocksAgo = 0): boolean {
    const lastValid = this.#lastValidHeights.get(blockhash);
    return lastValid !== undefined && lastValid <= this.#height - blocksAgo + BLOCKHASH_LIFE_BLOCKS;
  }

  findEntry(signature: string): LedgerEntry | undefined {
    return this.#ledger.get(signature);
  }

  /** The ledger in the order in which it was made, without its first `count` entries. */
  listEntriesAfter(count: number): readonly LedgerEntry[] {
    return [...this.#ledger.values()].slice(count);
  }

  /** Signatures of the transactions that name this account, newest first. */
  listSignatures(accountAddress: string): readonly string[] {
    return this.#signaturesByAddress.get(accountAddress) ?? [];
  }

  /** Transactions in blocks so far. */
  countTransactions(): number {
    return this.#ledger.size;
  }

  findAccount(accountAddress: string): StoredAccount | undefined {
    const account = this.executor.svm.getAccount(address(accountAddress));
    if (!account.exists) return undefined;
    return {
      data: new Uint8Array(account.data),
      owner: account.programAddress,
      lamports: Number(account.lamports),
      executable: account.executable,
    };
  }

  balanceOf(accountAddress: string): number {
    return Number(this.executor.svm.getBalance(address(accountAddress)) ?? 0n);
  }

  /** Lets a transaction land after `slots` blocks, if its blockhash still lives then. */
  delay(decoded: DecodedTransaction, slots: number): void {
    this.#delayed.push({ decoded, dueSlot: this.#slot + slots });
  }

  /**
   * Puts a transaction in the current block, unless its blockhash is dead or it is in a block already: the same bytes land
   * at most once.
   * @returns the ledger's entry, or undefined when it is in no block.
   */
  include(decoded: DecodedTransaction): LedgerEntry | undefined {
    const known = this.#ledger.get(decoded.signature);
    if (known !== undefined) return known;
    if (!this.isBlockhashValid(decoded.message.lifetimeToken)) return undefined;
    this.#showSlots(decoded);
    const loaded = findLoadedAddresses(this.executor.svm, decoded.message, BigInt(this.#slot));
    if (loaded === undefined) return undefined;
    const accounts = listAccounts(decoded.message, loaded);
    const preBalances = accounts.map((account) => this.balanceOf(account));
    const outcome = this.executor.execute(decoded, BigInt(this.#slot));
    if (!outcome.isIncludable) return undefined;
    const postBalances = accounts.map((account) => this.balanceOf(account));
    const entry = this.#entry(decoded, outcome, { preBalances, postBalances, feeLamports: computeFeeLamports(decoded) });
    this.#append(decoded.signature, entry);
    for (const account of accounts) this.#noteSignature(account, decoded.signature);
    return entry;
  }

  /** Runs a transaction in the newest block without keeping anything. */
  simulate(decoded: DecodedTransaction): Outcome {
    this.#showSlots(decoded);
    return this.executor.simulate(decoded, BigInt(this.#slot));
  }

  /** Changes an account behind the programs' back: its lamports, its bytes, or both. */
  changeAccount(accountAddress: string, change: { readonly lamports?: number; readonly bytes?: Uint8Array }): void {
    const account = this.executor.svm.getAccount(address(accountAddress));
    if (!account.exists) throw new Error(`there is no account ${accountAddress}`);
    this.executor.svm.setAccount({
      ...account,
      lamports: change.lamports === undefined ? account.lamports : lamports(BigInt(change.lamports)),
      data: change.bytes ?? account.data,
    });
  }

  /** Gives lamports out of nothing. @returns the signature of the airdrop. */
  airdrop(accountAddress: string, lamportCount: number): string {
    const result = this.executor.svm.airdrop(address(accountAddress), lamports(BigInt(lamportCount)));
    if (result === null || result instanceof FailedTransactionMetadata) throw new Error("the airdrop account is empty");
    this.#airdropped.add(accountAddress);
    const signature = encodeBase58(result.signature());
    const outcome: Outcome = { isIncludable: true, error: null, logs: [], computeUnits: 0, inner: [], loaded: NOTHING_LOADED };
    this.#append(signature, this.#entry(null, outcome, { preBalances: [], postBalances: [], feeLamports: 0 }));
    return signature;
  }

  /** All that another cluster needs to go on from here. Blockhashes die with this one, as do transactions on their way. */
  exportState(): ClusterState {
    const named = [...this.#signaturesByAddress.keys(), ...this.#airdropped];
    const accounts = [...new Set(named)].flatMap((key) => {
      const account = this.findAccount(key);
      return account === undefined || account.executable ? [] : [{ address: key, ...account }];
    });
    return { slot: this.#slot, height: this.#height, accounts, ledger: [...this.#ledger] };
  }

  #append(signature: string, entry: LedgerEntry): void {
    this.#ledger.set(signature, entry);
    this.#firstUnkeptSlot = Math.min(this.#firstUnkeptSlot, entry.slot);
  }

  #keepInTime(): void {
    const isBecomingFinal = this.#firstUnkeptSlot <= this.slotAt("finalized");
    if (!isBecomingFinal && this.#slot - this.#keptSlot < BLOCKHASH_LIFE_BLOCKS) return;
    this.#keep?.(this.exportState());
    this.#keptSlot = this.#slot;
    this.#firstUnkeptSlot = Infinity;
  }

  #restore(state: ClusterState): void {
    const { svm } = this.executor;
    // A chain that was killed went on for less than this after it was kept.
    this.#slot = state.slot + BLOCKHASH_LIFE_BLOCKS;
    this.#height = state.height + BLOCKHASH_LIFE_BLOCKS;
    // litesvm makes each blockhash from the one before. Going past those already used keeps dead transactions dead.
    for (let height = FIRST_HEIGHT; height < this.#height; height += 1) svm.expireBlockhash();
    for (const account of state.accounts) {
      this.#airdropped.add(account.address);
      svm.setAccount({
        address: address(account.address),
        data: account.data,
        executable: false,
        lamports: lamports(BigInt(account.lamports)),
        programAddress: address(account.owner),
        space: BigInt(account.data.length),
      });
    }
    for (const [signature, entry] of state.ledger) {
      this.#ledger.set(signature, entry);
      const { decoded, outcome } = entry;
      if (decoded === null) continue;
      for (const account of listAccounts(decoded.message, outcome.loaded)) this.#noteSignature(account, signature);
    }
  }

  /** Tells programs of the slots before this one. litesvm keeps none, and only tables ask for them, so it is done for those alone. */
  #showSlots({ message }: DecodedTransaction): void {
    if (!message.staticAccounts.some((account) => account === LOOKUP_TABLE_PROGRAM_ID)) return;
    const { svm } = this.executor;
    const hash = svm.latestBlockhash();
    const slots = Array.from({ length: SLOT_HASHES }, (_, back) => ({ slot: BigInt(this.#slot - 1 - back), hash }));
    svm.setSlotHashes(slots);
  }

  #entry(
    decoded: DecodedTransaction | null,
    outcome: Outcome,
    money: Pick<LedgerEntry, "preBalances" | "postBalances" | "feeLamports">,
  ): LedgerEntry {
    return { decoded, slot: this.#slot, blockTimeSeconds: readClockSeconds(), outcome, ...money };
  }

  #noteSignature(accountAddress: string, signature: string): void {
    const signatures = this.#signaturesByAddress.get(accountAddress);
    if (signatures === undefined) this.#signaturesByAddress.set(accountAddress, [signature]);
    else signatures.unshift(signature);
  }
}

/** Bytes of a transaction, in base64 or base58, read into its parts. */
export function decodeWire(text: string, encoding: string): DecodedTransaction {
  return decodeTransaction(encoding === "base64" ? new Uint8Array(Buffer.from(text, "base64")) : decodeBase58(text));
}

function readClockSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
