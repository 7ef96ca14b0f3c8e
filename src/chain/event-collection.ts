import { MPL_CORE_PROGRAM_ID, createCollection } from "@metaplex-foundation/mpl-core";
import type { KeypairSigner, TransactionBuilder, Umi } from "@metaplex-foundation/umi";

/**
 * Builds the transaction that makes an event's collection on mpl-core. `BubblegumV2` lets compressed NFTs join it. The
 * permanent delegates can be set only now, and let the service later freeze, move or burn a ticket that it has cancelled,
 * transferred or refunded, without its owner's signature.
 * @param name at most 32 bytes are shown by wallets; longer names are kept whole on chain and cost rent.
 */
export function buildCreateCollection(
  umi: Umi,
  collection: KeypairSigner,
  { name, uri }: { readonly name: string; readonly uri: string },
): TransactionBuilder {
  const authority = { type: "UpdateAuthority" } as const;
  return createCollection(umi, {
    collection,
    name,
    uri,
    plugins: [
      { type: "BubblegumV2" },
      { type: "PermanentFreezeDelegate", frozen: false, authority },
      { type: "PermanentTransferDelegate", authority },
      { type: "PermanentBurnDelegate", authority },
    ],
  });
}

/** Owner of every mpl-core account. */
export const CORE_PROGRAM_ID: string = MPL_CORE_PROGRAM_ID;
