import { findTreeConfigPda, getTreeConfigAccountDataSerializer, Version } from "@metaplex-foundation/mpl-bubblegum";
import { deserializeCollectionV1, type BasePlugin } from "@metaplex-foundation/mpl-core";
import { isPublicKey, lamports, publicKey, type PublicKey, type Umi } from "@metaplex-foundation/umi";
import { base64 } from "@metaplex-foundation/umi/serializers";
import type { CollectionFacts, Inspected, TreeFacts } from "#domain/chain-suitability";
import { countTreeBytes } from "#domain/tree-shape";
import { CORE_PROGRAM_ID } from "./event-collection.ts";
import type { RpcClient } from "./rpc-client.ts";

const COMPRESSION_PROGRAM_ID = "mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW";
const BUBBLEGUM_PROGRAM_ID = "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY";

/** The head of a tree's account: see the table at {@link countTreeBytes}. */
const TREE_ACCOUNT_TYPE = 1;
const BUFFER_OFFSET = 2;
const DEPTH_OFFSET = 6;
const HEAD_BYTES = 56;
const CONFIG_BYTES = 96;
const COLLECTION_KEY = 5;
const MOST_CANOPY = 17;

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
  if (tree.owner !== COMPRESSION_PROGRAM_ID || configAccount?.owner !== BUBBLEGUM_PROGRAM_ID) return "other";
  const head = base64.serialize(tree.data[0]);
  const configBytes = base64.serialize(configAccount.data[0]);
  if (head.length < HEAD_BYTES || head[0] !== TREE_ACCOUNT_TYPE || configBytes.length < CONFIG_BYTES) return "other";
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const depth = view.getUint32(DEPTH_OFFSET, true);
  const bufferSize = view.getUint32(BUFFER_OFFSET, true);
  const [read] = getTreeConfigAccountDataSerializer().deserialize(configBytes);
  return {
    depth,
    bufferSize,
    canopyDepth: findCanopyDepth({ depth, bufferSize }, tree.space),
    mintedCount: Number(read.numMinted),
    creatorAddress: read.treeCreator,
    delegateAddress: read.treeDelegate,
    isPublic: read.isPublic,
    isVersion2: read.version === Version.V2,
  };
}

/** The canopy is what is left of the account's size. */
function findCanopyDepth(shape: { readonly depth: number; readonly bufferSize: number }, bytes: number): number {
  for (let canopyDepth = 0; canopyDepth <= MOST_CANOPY; canopyDepth += 1) {
    if (countTreeBytes({ ...shape, canopyDepth }) >= bytes) return canopyDepth;
  }
  return MOST_CANOPY;
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
  if (value.owner !== CORE_PROGRAM_ID || data[0] !== COLLECTION_KEY) return "other";
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
