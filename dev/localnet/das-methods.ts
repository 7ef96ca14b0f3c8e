import type { MetadataArgsV2 } from "@metaplex-foundation/mpl-bubblegum";
import { isSome } from "@metaplex-foundation/umi";
import type { Cluster } from "./cluster.ts";
import { DasIndex, type IndexedAsset } from "./das-index.ts";
import type { Faults } from "./faults.ts";
import { hashLeaf, type Leaf } from "./leaf-encoding.ts";
import type { NodeView } from "./node-view.ts";
import { RpcRefusal, type RpcMethod } from "./rpc-refusal.ts";
import { encodeBase58 } from "./transaction-encoding.ts";

const METHOD_NOT_FOUND = -32_601;
/** What an index answers when it fails, also when it does not know the asset. */
const CALL_FAILED = -32_000;
const FROZEN_FLAGS = 0b011;
const NOT_TRANSFERABLE_FLAG = 0b100;
/** An address where nothing is, for an index that lies. */
const NOBODY = "1nc1nerator11111111111111111111111111111111";

type Params = readonly [string] | { readonly id: string };

/**
 * `getAsset` and `getAssetProof` of Metaplex's Digital Asset Standard over this chain's compressed assets, in the words of its reference
 * implementation. By the node's faults they may be missing, late, or lying.
 */
export function createDasMethods(cluster: Cluster, node: NodeView, faults: Faults): Readonly<Record<string, RpcMethod>> {
  const index = new DasIndex(cluster);
  const find = (method: string, params: Params): IndexedAsset => {
    if (faults.das === "off") throw new RpcRefusal(METHOD_NOT_FOUND, `Method not found: ${method}`);
    index.readUpTo(node.slotAt() - faults.dasBehindSlots);
    const asset = index.find("id" in params ? params.id : params[0]);
    const told = asset !== undefined && faults.das === "other_asset" ? index.findOther(asset) : asset;
    if (told === undefined) throw new RpcRefusal(CALL_FAILED, "Database Error: RecordNotFound Error: Asset Not Found");
    return told;
  };
  return {
    getAsset: (params: Params) => presentAsset(find("getAsset", params), faults),
    getAssetProof: (params: Params) => {
      const asset = find("getAssetProof", params);
      const { depth, leafHash, proof, root } = index.prove(asset);
      const told = faults.das === "wrong_proof" ? proof.with(0, leafHash) : proof;
      return {
        root: encodeBase58(root),
        proof: told.map((hash) => encodeBase58(hash)),
        node_index: 2 ** depth + asset.leafIndex,
        leaf: encodeBase58(leafHash),
        tree_id: faults.das === "other_tree" ? NOBODY : asset.tree,
      };
    },
  };
}

function presentAsset(asset: IndexedAsset, faults: Faults): unknown {
  const { tree, leafIndex, leaf, seq, isBurnt, metadata } = asset;
  return {
    interface: "V1_NFT",
    id: leaf.assetId,
    authorities: [],
    compression: {
      eligible: false,
      compressed: true,
      data_hash: encodeBase58(leaf.dataHash),
      creator_hash: encodeBase58(leaf.creatorHash),
      collection_hash: encodeBase58(leaf.collectionHash),
      asset_data_hash: encodeBase58(leaf.assetDataHash),
      flags: leaf.flags,
      asset_hash: encodeBase58(hashLeaf(leaf)),
      tree: faults.das === "other_tree" ? NOBODY : tree,
      seq,
      leaf_id: leafIndex,
    },
    ownership: presentOwnership(leaf, faults),
    supply: { print_max_supply: 0, print_current_supply: 0, edition_nonce: null },
    burnt: isBurnt,
    ...(metadata === undefined ? {} : presentMetadata(metadata)),
  };
}

function presentOwnership({ owner, delegate, flags }: Leaf, faults: Faults): unknown {
  const isDelegated = delegate !== owner;
  return {
    frozen: (flags & FROZEN_FLAGS) !== 0,
    non_transferable: (flags & NOT_TRANSFERABLE_FLAG) !== 0,
    delegated: isDelegated,
    delegate: isDelegated ? delegate : null,
    ownership_model: "single",
    owner: faults.das === "wrong_owner" ? NOBODY : owner,
  };
}

/** What the asset was minted with. */
function presentMetadata(metadata: MetadataArgsV2): object {
  const { name, symbol, uri, sellerFeeBasisPoints, primarySaleHappened, isMutable, creators, collection } = metadata;
  return {
    content: {
      $schema: "https://schema.metaplex.com/nft1.0.json",
      json_uri: uri,
      files: [],
      metadata: { name, symbol, token_standard: "NonFungible" },
      links: {},
    },
    grouping: isSome(collection) ? [{ group_key: "collection", group_value: collection.value }] : [],
    royalty: {
      royalty_model: "creators",
      target: null,
      percent: sellerFeeBasisPoints / 10_000,
      basis_points: sellerFeeBasisPoints,
      primary_sale_happened: primarySaleHappened,
      locked: false,
    },
    creators: creators.map(({ address, share, verified }) => ({ address, share, verified })),
    mutable: isMutable,
  };
}
