import { z } from "zod";
import { decodeBase58 } from "#domain/base58";
import type { ToldLeaf } from "#domain/tree-changes";
import { RpcError, type RpcNode } from "./rpc-client.ts";

/** An index of assets beside the nodes, as Metaplex's Digital Asset Standard (DAS) has it. Not every node has one. */
export interface DasSource {
  /**
   * What the first index says that knows the asset. Believe nothing of it unproven.
   * @returns undefined when no node has an index, or none answers in time, or none knows such a leaf of Bubblegum V2. Never throws.
   */
  findLeaf(assetId: string): Promise<ToldLeaf | undefined>;
}

const METHOD_NOT_FOUND = -32_601;
/** Some providers word it so, of a method that their node does not have. */
const INVALID_REQUEST = -32_600;
const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;

/** For so long a node is not asked again that had no index; an isolate rarely lives longer. */
const ASK_AGAIN_MS = 60 * 60_000;

const KEY_BYTES = 32;
const LONGEST_KEY = 44;
/** As deep as a tree may be. */
const MOST_LEVELS = 30;

const key = z
  .string()
  .max(LONGEST_KEY)
  .refine((text) => readKey(text).length === KEY_BYTES, "not 32 bytes in base58");
const hash = key.transform((text) => readKey(text));

/** Of `getAsset`, what a leaf of version 2 hashes. Leaves of version 1 have neither of the optional hashes. */
const assetAnswer = z.object({
  compression: z.object({
    data_hash: hash,
    creator_hash: hash,
    collection_hash: hash,
    asset_data_hash: hash,
    flags: z.int().min(0).max(255),
    leaf_id: z
      .int()
      .min(0)
      .max(2 ** MOST_LEVELS - 1),
  }),
  // An index leaves out a delegate that is the owner.
  ownership: z.object({ owner: key, delegate: key.nullish() }),
});

/** Of `getAssetProof`, what is not computed from the rest. Its root is not read: the account's own is. */
const proofAnswer = z.object({ tree_id: key, proof: z.array(hash).max(MOST_LEVELS) });

/**
 * The indexes of these nodes, asked in turn. A node that has none is not asked again for an hour, so it costs nothing to have only
 * plain nodes.
 */
export function createDasSource(nodes: readonly RpcNode[], readClockMs: () => number): DasSource {
  const asked = nodes.map((node) => ({ node, notBeforeMs: 0 }));
  return {
    async findLeaf(assetId) {
      for (const each of asked) {
        if (readClockMs() < each.notBeforeMs) continue;
        try {
          const told = await askNode(each.node, assetId);
          if (told !== undefined) return told;
        } catch (error) {
          // What else is wrong with an index its breaker knows; another may know the asset that this one does not.
          if (isNotOffered(error)) each.notBeforeMs = readClockMs() + ASK_AGAIN_MS;
        }
      }
      return undefined;
    },
  };
}

async function askNode(node: RpcNode, assetId: string): Promise<ToldLeaf | undefined> {
  const byId = { id: assetId };
  const answers = await Promise.all([node.call<unknown>("getAsset", byId), node.call<unknown>("getAssetProof", byId)]);
  const [asset, path] = [assetAnswer.safeParse(answers[0]), proofAnswer.safeParse(answers[1])];
  if (!asset.success || !path.success) return undefined;
  const { compression, ownership } = asset.data;
  const leaf = {
    assetId,
    leafIndex: compression.leaf_id,
    ownerAddress: ownership.owner,
    delegateAddress: ownership.delegate ?? ownership.owner,
    dataHash: compression.data_hash,
    creatorHash: compression.creator_hash,
    collectionHash: compression.collection_hash,
    assetDataHash: compression.asset_data_hash,
    flags: compression.flags,
  };
  return { tree: path.data.tree_id, leaf, proof: path.data.proof };
}

/** Plain nodes say that they do not know the method; providers also refuse it by a status of HTTP where a plan does not include it. */
function isNotOffered(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  const { code } = error;
  if (code === METHOD_NOT_FOUND || code === INVALID_REQUEST) return true;
  return code >= 400 && code < 500 && code !== REQUEST_TIMEOUT && code !== TOO_MANY_REQUESTS;
}

function readKey(text: string): Uint8Array {
  const bytes = decodeBase58(text);
  return bytes.ok ? bytes.value : new Uint8Array();
}
