import { createTreeV2 } from "@metaplex-foundation/mpl-bubblegum";
import type { KeypairSigner, TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import type { TreeShape } from "#domain/tree-shape";
import type { ChainConfig } from "./chain-config.ts";
import { deriveSigner } from "./derived-signer.ts";
import { createLeanUmi } from "./lean-umi.ts";
import { buildLookupTable, findLookupTable, inspectLookupTable } from "./lookup-table.ts";
import { inspectCollection, inspectTree } from "./read-accounts.ts";
import { RpcError, createRpcClient } from "./rpc-client.ts";
import { sendSetup } from "./send-setup.ts";
import type { TreeKeeper, TreeName } from "./tree-keeper.ts";
import { importWalletSigner } from "./wallet-signer.ts";

/** What the address of a tenant's tree derives from. */
export function treePurpose({ tenantId, number }: TreeName): string {
  return `tree/${tenantId}/${number}`;
}

/** Builds the transaction that makes a tree; umi's identity pays for it, owns it and alone may mint into it. */
export function buildCreateTree(umi: Umi, tree: KeypairSigner, shape: TreeShape): Promise<TransactionBuilder> {
  const { depth: maxDepth, bufferSize: maxBufferSize, canopyDepth } = shape;
  return createTreeV2(umi, { merkleTree: tree, maxDepth, maxBufferSize, canopyDepth });
}

/**
 * The {@link TreeKeeper} on umi.
 * @throws Error naming the variable when the wallet key is malformed.
 */
export async function createUmiTreeKeeper(config: ChainConfig): Promise<TreeKeeper> {
  const wallet = await importWalletSigner(config.walletSecretKey);
  const rpc = createRpcClient(config.rpcUrl, { fetcher: config.fetcher, breakers: config.breakers });
  const umi = createLeanUmi(rpc, wallet);
  const derive = (name: TreeName): Promise<KeypairSigner> => deriveSigner(umi, wallet, treePurpose(name));
  return {
    walletAddress: wallet.publicKey,
    defaultTreeAddress: config.treeAddress,
    defaultLookupTableAddress: config.lookupTableAddress ?? null,
    deriveTreeAddress: async (name) => (await derive(name)).publicKey,
    async openTree(name, shape) {
      const tree = await derive(name);
      if (typeof (await inspectTree(umi, rpc, tree.publicKey)) === "object") return null;
      try {
        await sendSetup(umi, rpc, await buildCreateTree(umi, tree, shape));
        return "sent";
      } catch (error) {
        // Of two that make it at once, the loser's preflight fails. Whether it is there, the chain says.
        if (error instanceof RpcError) return error.message;
        throw error;
      }
    },
    async openLookupTable(treeAddress) {
      const found = await findLookupTable(umi, rpc, treeAddress);
      if (found === null) await sendSetup(umi, rpc, await buildLookupTable(umi, rpc, treeAddress));
      return found;
    },
    inspectLookupTable: (address, tree) => inspectLookupTable(umi, rpc, { address, tree, commitment: "confirmed" }),
    inspectTree: (address) => inspectTree(umi, rpc, address),
    inspectCollection: (address) => inspectCollection(rpc, address),
  };
}
