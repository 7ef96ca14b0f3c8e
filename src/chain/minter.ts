import type { ChainObservation } from "#domain/mint";
import type { TransactionVersion } from "#domain/mint-batches";
import type { SubmittedTransaction } from "./observe-signatures.ts";
import type { SignedTransaction } from "./sign-transaction.ts";

/** The on-chain face of a ticket. */
export interface MintableTicket {
  readonly ticketId: string;
  /** Address of the owner's wallet; null leaves the ticket in the custody of the minting wallet. */
  readonly ownerAddress: string | null;
  /** At most 32 bytes of UTF-8. */
  readonly name: string;
  /** Where the metadata JSON is; at most 200 bytes. */
  readonly uri: string;
}

/** Tickets that are to share a transaction. */
export interface MintBatch {
  /** Address of the tree that gets the leaves. */
  readonly treeAddress: string;
  /** Address of the tree's lookup table. Where there is none, or none that can be used, fewer tickets may fit. */
  readonly lookupTableAddress?: string | null;
  /** Address of the event's collection, which must exist. */
  readonly collectionAddress: string;
  /** One at least. */
  readonly tickets: readonly MintableTicket[];
  /** Transactions signed for each of them so far; the bid for a place in a block rises with it. */
  readonly attempts: number;
}

/** An event as its collection shows it. */
export interface MintableEvent {
  readonly eventId: string;
  readonly name: string;
  readonly uri: string;
  /** True for tickets that are not transferable: they have a collection of their own, which is frozen as a whole. */
  readonly isFrozen?: boolean;
  /** The collection that was provisioned for the event or found before. */
  readonly knownAddress?: string | null;
}

/** What became of a batch when it was to be signed. */
export interface SigningResult {
  /** The transaction, which mints `ticketIds`; null when no ticket was fit for one. */
  readonly signed: SignedTransaction | null;
  /** Fewer than asked for when no more fit into a transaction: the others want another. */
  readonly ticketIds: readonly string[];
  /** Tickets that no transaction can be built for, and why. They never will be, as they are. */
  readonly unfit: readonly { readonly ticketId: string; readonly reason: string }[];
}

/** A leaf of the tree. `assetId` is a base58 address, `uri` the one in the metadata that the leaf hashes. */
export interface MintedLeaf {
  readonly uri: string;
  readonly assetId: string;
  readonly leafIndex: number;
}

/**
 * Mints tickets, in steps that can each be repeated. None of them decides what happened: only {@link Minter.observe} says so,
 * and `decideMintStep` judges it. Every method throws when the node can't be reached.
 */
export interface Minter {
  /** Base58 address of the minting wallet, which keeps the tickets of owners without a wallet. */
  readonly walletAddress: string;
  /** The version that transactions are signed in for tickets that were not signed for before; 0 once the nodes have refused 1. */
  readonly transactionVersion: TransactionVersion;
  /** Whether the wallet has the lamports to go on. Asks the node now and then only. */
  isFunded(): Promise<boolean>;
  /**
   * Finds the event's collection: the known one when the wallet may mint into it, else the wallet's own, which it makes unless
   * it exists. Its address derives from wallet and event, so a repeat finds it.
   * @returns `isReady` false while it is not on chain yet: ask again.
   */
  ensureCollection(event: MintableEvent): Promise<{ readonly address: string; readonly isReady: boolean }>;
  /** Signs one transaction that mints the first of these tickets, as many as its bytes hold, under a fresh blockhash; sends nothing. */
  signMints(batch: MintBatch): Promise<SigningResult>;
  /**
   * Hands the bytes to the node.
   * @returns what the node complained of, for the record only: a refused or lost answer proves nothing.
   */
  sendMints(wireBase64: string): Promise<string | null>;
  /** What the chain says of each transaction, by its signature. */
  observe(submitted: readonly SubmittedTransaction[]): Promise<ReadonlyMap<string, ChainObservation>>;
  /** The leaves that a finalized transaction made; undefined while the node can't show the transaction. */
  findMintedLeaves(signature: string): Promise<readonly MintedLeaf[] | undefined>;
}
