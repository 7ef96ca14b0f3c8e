import {
  getMintV2InstructionDataSerializer,
  hashMetadataDataV2,
  MPL_BUBBLEGUM_PROGRAM_ID,
} from "@metaplex-foundation/mpl-bubblegum";
import { base58 } from "@metaplex-foundation/umi/serializers";
import { isSameNode } from "#domain/merkle-tree";
import { listLeafSchemas } from "./leaf-events.ts";
import type { MintedLeaf } from "./minter.ts";
import type { TransactionAnswer } from "./read-transaction.ts";

/**
 * The leaves that a transaction of mints made, each with the uri of its metadata. Bubblegum logs one leaf for each of its
 * instructions, in their order; that a leaf is of that instruction is shown by the hash of the metadata.
 * @throws Error when the leaves are not those of the instructions.
 */
export function listMintedLeaves(answer: TransactionAnswer): MintedLeaf[] {
  const { accountKeys, instructions } = answer.transaction.message;
  const mints = instructions.filter(({ programIdIndex }) => accountKeys[programIdIndex] === MPL_BUBBLEGUM_PROGRAM_ID);
  const leaves = listLeafSchemas(answer);
  if (mints.length === 0 || leaves.length !== mints.length) {
    throw new Error(`a transaction of ${mints.length} mints wrote ${leaves.length} leaves`);
  }
  return mints.map(({ data }, place) => {
    const [{ metadata }] = getMintV2InstructionDataSerializer().deserialize(base58.serialize(data));
    const leaf = leaves[place];
    if (leaf?.__kind !== "V2" || !isSameNode(leaf.dataHash, hashMetadataDataV2(metadata))) {
      throw new Error(`leaf ${place} of the transaction is not of the metadata that was minted`);
    }
    return { uri: metadata.uri, assetId: leaf.id, leafIndex: Number(leaf.nonce) };
  });
}
