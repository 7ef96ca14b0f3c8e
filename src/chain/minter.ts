import type { ChainObservation } from "#domain/mint";

/** The on-chain face of a ticket. */
export interface MintableTicket {
  readonly ticketId: string;
  /** Address of the owner's wallet; null leaves the ticket in the custody of the minting wallet. */
  readonly ownerAddress: string | null;
  /** At most 32 bytes of UTF-8. */
  readonly name: string;
  /** Where the metadata JSON is; at most 200 bytes. */
  readonly uri: string;
  /** Address of the event's collection, which must exist. */
  readonly collectionAddress: string;
  /** Address of the tree that gets the leaf. */
  readonly treeAddress: string;
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

/** A signed transaction, not sent yet. */
export interface SignedMint {
  /** Base58; this is the transaction's id. */
  readonly signature: string;
  readonly wireBase64: string;
  readonly lastValidBlockHeight: number;
}

/** A leaf of the tree. `assetId` is a base58 address. */
export interface MintedLeaf {
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
  /**
   * Finds the event's collection: the known one when the wallet may mint into it, else the wallet's own, which it makes unless
   * it exists. Its address derives from wallet and event, so a repeat finds it.
   * @returns `isReady` false while it is not on chain yet: ask again.
   */
  ensureCollection(event: MintableEvent): Promise<{ readonly address: string; readonly isReady: boolean }>;
  /** Signs a mint under the newest blockhash, sending nothing. */
  signMint(ticket: MintableTicket): Promise<SignedMint>;
  /**
   * Hands the bytes to the node.
   * @returns what the node complained of, for the record only: a refused or lost answer proves nothing.
   */
  sendMint(wireBase64: string): Promise<string | null>;
  observe(signature: string): Promise<ChainObservation>;
  /** The leaf that a finalized mint made; undefined while the node can't show the transaction. */
  findMintedLeaf(signature: string): Promise<MintedLeaf | undefined>;
}
