import type { Signer } from "@metaplex-foundation/umi";
import { deriveSigner } from "#chain/derived-signer";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient } from "#chain/rpc-client";
import { importWalletSigner } from "#chain/wallet-signer";
import type { TreeShape } from "#domain/tree-shape";
import { openOwner, type Owner } from "../chain-setup/owner.ts";
import { deriveAddress, provisionCollection, provisionLookupTable, provisionTree } from "../chain-setup/provision-accounts.ts";

/** Addresses that the service is configured with, in base58. */
export interface Provisioned {
  readonly walletAddress: string;
  readonly tree: string;
  readonly collection: string;
}

/** And the address that only the chain tells: it derives from the slot in which the table was made. */
export interface ProvisionedChain extends Provisioned {
  readonly lookupTable: string;
}

/** The shape of the tree that the local chain is provisioned with. */
export const LOCAL_TREE: TreeShape = { depth: 14, bufferSize: 64, canopyDepth: 8 };
const WALLET_LAMPORTS = 100_000_000_000;
const TREE = "tree";
const COLLECTION = "collection";

/**
 * Gives the minting wallet and an owner money, and makes what `npm run chain:setup` makes on a real cluster, unless it is there:
 * a tree with its lookup table, and a collection, that the owner owns and the wallet may mint into. Their addresses derive from the
 * wallet, and the table is found by what made it, so they are the same after a restart.
 * @param walletSecretKey base58 of the 64-byte secret key.
 * @param shape of the tree when it is made now; 16,384 tickets when left out.
 */
export async function provision(
  rpcUrl: string,
  walletSecretKey: string,
  shape: TreeShape = LOCAL_TREE,
): Promise<ProvisionedChain> {
  const { wallet, owner } = await openParties(rpcUrl, walletSecretKey);
  const walletAddress = wallet.publicKey;
  for (const key of [walletAddress, owner.signer.publicKey]) {
    const balance = await owner.rpc.call<{ value: number }>("getBalance", [key]);
    if (balance.value < WALLET_LAMPORTS / 2) await owner.rpc.call("requestAirdrop", [key, WALLET_LAMPORTS]);
  }
  const tree = await provisionTree(owner, { purpose: TREE, shape, minterAddress: walletAddress });
  const lookupTable = await provisionLookupTable(owner, tree.address);
  const collection = await provisionCollection(owner, {
    purpose: COLLECTION,
    name: "Tickets",
    uri: "https://example.invalid/collection",
    minterAddress: walletAddress,
  });
  return { walletAddress, tree: tree.address, lookupTable: lookupTable.address, collection: collection.address };
}

/** The addresses that {@link provision} will use, without asking the chain. */
export async function deriveProvisioned(walletSecretKey: string): Promise<Provisioned> {
  const { wallet, owner } = await openParties("http://nobody.invalid", walletSecretKey);
  return {
    walletAddress: wallet.publicKey,
    tree: await deriveAddress(owner, TREE),
    collection: await deriveAddress(owner, COLLECTION),
  };
}

/** The local owner's key derives from the wallet's; on a real cluster it is another, kept elsewhere. */
async function openParties(rpcUrl: string, walletSecretKey: string): Promise<{ wallet: Signer; owner: Owner }> {
  const wallet = await importWalletSigner(walletSecretKey);
  const umi = createLeanUmi(createRpcClient(rpcUrl), wallet);
  return { wallet, owner: openOwner(rpcUrl, await deriveSigner(umi, wallet, "local owner")) };
}
