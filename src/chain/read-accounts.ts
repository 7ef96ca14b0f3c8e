import {
  findTreeConfigPda,
  getTreeConfigAccountDataSerializer,
  MPL_BUBBLEGUM_PROGRAM_ID,
  Version,
} from "@metaplex-foundation/mpl-bubblegum";
import { deserializeCollectionV1, MPL_CORE_PROGRAM_ID, type BasePlugin } from "@metaplex-foundation/mpl-core";
import { isPublicKey, lamports, publicKey, type PublicKey, type Umi } from "@metaplex-foundation/umi";
import { base64 } from "@metaplex-foundation/umi/serializers";
import type { CollectionFacts, Inspected, TreeFacts } from "#domain/chain-suitability";
import { COMPRESSION_PROGRAM_ID } from "./leaf-events.ts";
import type { RpcClient } from "./rpc-client.ts";
import { isTreeAccount, parseTreeShape } from "./tree-account.ts";

/** A tree's config, whole. */
const CONFIG_BYTES = 96;
/** What an mpl-core account that is a collection begins with. */
const COLLECTION_KEY = 5;

interface RpcAccount {
  readonly data: readonly [string, "base64"];
  readonly owner: string;
  /** Bytes of the whole account, also when a slice was asked for. */
  readonly space: number;
}

interface AccountsAnswer {
  readonly value: readonly (RpcAccount | null)[];
}

/** What the chain says of the tree at an address, from the heads of its account and of its config. */
export async function inspectTree(umi: Umi, rpc: RpcClient, address: string): Promise<Inspected<TreeFacts>> {
  if (!isPublicKey(address)) return "other";
  const [config] = findTreeConfigPda(umi, { merkleTree: publicKey(address) });
  const { value } = await rpc.call<AccountsAnswer>("getMultipleAccounts", [
    [address, config],
    { commitment: "confirmed", encoding: "base64", dataSlice: { offset: 0, length: CONFIG_BYTES } },
  ]);
  const [tree, configAccount] = value;
  if (tree === null || tree === undefined) return "missing";
  if (tree.owner !== COMPRESSION_PROGRAM_ID || configAccount?.owner !== MPL_BUBBLEGUM_PROGRAM_ID) return "other";
  const head = base64.serialize(tree.data[0]);
  const configBytes = base64.serialize(configAccount.data[0]);
  if (!isTreeAccount(head) || configBytes.length < CONFIG_BYTES) return "other";
  const [read] = getTreeConfigAccountDataSerializer().deserialize(configBytes);
  return {
    ...parseTreeShape(head, tree.space),
    mintedCount: Number(read.numMinted),
    creatorAddress: read.treeCreator,
    delegateAddress: read.treeDelegate,
    isPublic: read.isPublic,
    isVersion2: read.version === Version.V2,
  };
}

/** What the chain says of the collection at an address. */
export async function inspectCollection(rpc: RpcClient, address: string): Promise<Inspected<CollectionFacts>> {
  if (!isPublicKey(address)) return "other";
  const { value } = await rpc.call<{ readonly value: RpcAccount | null }>("getAccountInfo", [
    address,
    { commitment: "confirmed", encoding: "base64" },
  ]);
  if (value === null) return "missing";
  const data = base64.serialize(value.data[0]);
  if (value.owner !== MPL_CORE_PROGRAM_ID || data[0] !== COLLECTION_KEY) return "other";
  const head = { publicKey: publicKey(address), owner: publicKey(value.owner), lamports: lamports(0), executable: false };
  const read = deserializeCollectionV1({ ...head, data });
  const actorOf = (plugin: BasePlugin | undefined): PublicKey | null => {
    if (plugin?.authority.type === "UpdateAuthority") return read.updateAuthority;
    return plugin?.authority.type === "Address" ? (plugin.authority.address ?? null) : null;
  };
  const appointed = actorOf(read.updateDelegate);
  return {
    ownerAddress: read.updateAuthority,
    adderAddresses: [...(appointed === null ? [] : [appointed]), ...(read.updateDelegate?.additionalDelegates ?? [])],
    takesCompressed: read.bubblegumV2 !== undefined,
    freezeDelegate: actorOf(read.permanentFreezeDelegate),
    transferDelegate: actorOf(read.permanentTransferDelegate),
    burnDelegate: actorOf(read.permanentBurnDelegate),
    isFrozen: read.permanentFreezeDelegate?.frozen === true,
  };
}
