import { mintV2 } from "@metaplex-foundation/mpl-bubblegum";
import {
  createEmptyLut,
  extendLut,
  findAddressLookupTablePda,
  freezeLut,
  getAddressLookupTableAccountDataSerializer,
} from "@metaplex-foundation/mpl-toolbox";
import {
  isPublicKey,
  isSome,
  publicKey,
  some,
  type PublicKey,
  type TransactionBuilder,
  type Umi,
} from "@metaplex-foundation/umi";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import type { Inspected, LookupTableFacts } from "#domain/chain-suitability";
import { deriveSigner } from "./derived-signer.ts";
import type { RpcClient } from "./rpc-client.ts";

/** Owner of every address lookup table. */
export const LOOKUP_TABLE_PROGRAM_ID = "AddressLookupTab1e1111111111111111111111111";

/** Collections that a table takes: with more, the transaction that makes it would be too long. */
export const MOST_COLLECTIONS = 16;

/** The account's head, before its addresses; u32 1 says that it is a table in use. */
const HEAD_BYTES = 56;
const TABLE_IN_USE = 1;
/** The slot in which a table that nobody has deactivated was deactivated. */
const NEVER = 2n ** 64n - 1n;
const CREATE = 0;
const SIGNATURES_LOOKED_AT = 100;

/** What the key that makes a tree's table derives from. It signs nothing else, so what it signed leads to the table. */
function tablePurpose(tree: string): string {
  return `lookup-table/${tree}`;
}

/**
 * The addresses that every mint into a tree names, beside the wallet, the ticket's owner and its collection: the tree, its config,
 * and the programs that Bubblegum calls with their signer. Read from a mint itself, so they are what {@link mintV2} says.
 */
export function listTableAddresses(umi: Umi, tree: string): PublicKey[] {
  const own = umi.identity.publicKey;
  const mint = mintV2(umi, {
    merkleTree: publicKey(tree),
    leafOwner: own,
    coreCollection: own,
    metadata: { name: "", uri: "", sellerFeeBasisPoints: 0, creators: [], collection: some(own) },
  });
  const named = mint.getInstructions().flatMap(({ programId, keys }) =>
    // Bubblegum itself stands where an account is left out; no table can hold a program that is called.
    keys.map(({ pubkey }) => pubkey).filter((key) => key !== programId && key !== own),
  );
  return [...new Set(named)];
}

/**
 * Builds the transaction that makes a tree's table, fills it and freezes it: from then on nobody can add to it, deactivate or close
 * it. Umi's identity pays the rent, which stays in it.
 * @param collections that are known already and that tickets will join; the first {@link MOST_COLLECTIONS} go into the table too.
 */
export async function buildLookupTable(
  umi: Umi,
  rpc: RpcClient,
  tree: string,
  collections: readonly string[] = [],
): Promise<TransactionBuilder> {
  const authority = await deriveSigner(umi, umi.identity, tablePurpose(tree));
  // Its address derives from a slot that the newest blocks must know: a final one, so that no fork lacks it.
  const recentSlot = await rpc.call<number>("getSlot", [{ commitment: "finalized" }]);
  const address = findAddressLookupTablePda(umi, { authority: authority.publicKey, recentSlot });
  const known = collections.slice(0, MOST_COLLECTIONS).map((collection) => publicKey(collection));
  return createEmptyLut(umi, { address, authority, recentSlot })
    .add(extendLut(umi, { address, authority, addresses: [...listTableAddresses(umi, tree), ...known] }))
    .add(freezeLut(umi, { address, authority }));
}

interface CreationAnswer {
  readonly transaction: {
    readonly message: {
      readonly accountKeys: readonly string[];
      readonly instructions: readonly {
        readonly programIdIndex: number;
        readonly accounts: readonly number[];
        readonly data: string;
      }[];
    };
  };
}

/**
 * The table that umi's identity has made for a tree; null when it has made none, or none that the node knows of yet. Of several, which
 * two that make it at once may leave, the oldest.
 */
export async function findLookupTable(umi: Umi, rpc: RpcClient, tree: string): Promise<string | null> {
  const { publicKey: authority } = await deriveSigner(umi, umi.identity, tablePurpose(tree));
  const options = { commitment: "confirmed", limit: SIGNATURES_LOOKED_AT };
  const entries = await rpc.call<readonly { signature: string; err: unknown }[]>("getSignaturesForAddress", [
    authority,
    options,
  ]);
  const oldest = entries.findLast(({ err }) => err === null);
  if (oldest === undefined) return null;
  const answer = await rpc.call<CreationAnswer | null>("getTransaction", [
    oldest.signature,
    { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 1 },
  ]);
  const { accountKeys, instructions } = answer?.transaction.message ?? { accountKeys: [], instructions: [] };
  const creation = instructions.find(
    ({ programIdIndex, data }) =>
      accountKeys[programIdIndex] === LOOKUP_TABLE_PROGRAM_ID && base58.serialize(data)[0] === CREATE,
  );
  return accountKeys[creation?.accounts[0] ?? -1] ?? null;
}

interface AccountAnswer {
  readonly context: { readonly slot: number };
  readonly value: { readonly data: readonly [string, string]; readonly owner: string } | null;
}

/**
 * What the chain says of the lookup table at an address, and what it lacks for mints into a tree.
 * @param commitment `finalized` for a table that is to be used: what is final there can't change its places any more.
 */
export async function inspectLookupTable(
  umi: Umi,
  rpc: RpcClient,
  {
    address,
    tree,
    commitment,
  }: { readonly address: string; readonly tree: string; readonly commitment: "confirmed" | "finalized" },
): Promise<Inspected<LookupTableFacts>> {
  if (!isPublicKey(address)) return "other";
  const { context, value } = await rpc.call<AccountAnswer>("getAccountInfo", [address, { commitment, encoding: "base64" }]);
  if (value === null) return "missing";
  const data = base64.serialize(value.data[0]);
  if (value.owner !== LOOKUP_TABLE_PROGRAM_ID || data.length < HEAD_BYTES || data[0] !== TABLE_IN_USE) return "other";
  const [read] = getAddressLookupTableAccountDataSerializer().deserialize(data);
  const { addresses } = read;
  return {
    isFrozen: !isSome(read.authority),
    isActive: read.deactivationSlot === NEVER,
    isSettled: context.slot > Number(read.lastExtendedSlot),
    addresses,
    lacks: listTableAddresses(umi, tree).filter((key) => !addresses.includes(key)),
  };
}
