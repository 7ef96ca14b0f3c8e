import { createCollection } from "@metaplex-foundation/mpl-core";
import { publicKey, type KeypairSigner, type TransactionBuilder, type Umi } from "@metaplex-foundation/umi";

/** How a collection of an event is made. */
export interface NewCollection {
  /** At most 32 bytes are shown by wallets; longer names are kept whole on chain and cost rent. */
  readonly name: string;
  readonly uri: string;
  /**
   * True for tickets that stay with who bought them. Such a collection is frozen as a whole from the start: the chain refuses
   * each transfer or burn but those of the permanent delegates, and a ticket in it needs no step of its own to be frozen. Only
   * its owner may thaw it.
   */
  readonly isFrozen?: boolean;
  /** Address of the minting wallet; left out, the payer mints. */
  readonly minterAddress?: string;
}

/**
 * Builds the transaction that makes an event's collection on mpl-core; umi's identity pays for it and owns it. `BubblegumV2` lets
 * compressed NFTs join it. The permanent delegates can be set only now, and let the minting wallet later freeze, move or burn a
 * ticket that the service has cancelled, transferred or refunded, without its owner's signature.
 *
 * When the owner is not the minting wallet, that wallet is named as the delegates' authority and as an additional update
 * delegate: so it may add tickets, but neither give the collection away nor appoint anyone. The owner can take all of it back.
 */
export function buildCreateCollection(
  umi: Umi,
  collection: KeypairSigner,
  { name, uri, isFrozen = false, minterAddress }: NewCollection,
): TransactionBuilder {
  const minter = minterAddress === undefined ? umi.identity.publicKey : publicKey(minterAddress);
  const isOwned = minter === umi.identity.publicKey;
  const owner = { type: "UpdateAuthority" } as const;
  const authority = isOwned ? owner : ({ type: "Address", address: minter } as const);
  return createCollection(umi, {
    collection,
    name,
    uri,
    plugins: [
      { type: "BubblegumV2" },
      { type: "PermanentFreezeDelegate", frozen: isFrozen, authority: isFrozen ? owner : authority },
      { type: "PermanentTransferDelegate", authority },
      { type: "PermanentBurnDelegate", authority },
      ...(isOwned ? [] : [{ type: "UpdateDelegate" as const, additionalDelegates: [minter] }]),
    ],
  });
}
