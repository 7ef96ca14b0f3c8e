import { createTreeV2 } from "@metaplex-foundation/mpl-bubblegum";
import { setComputeUnitLimit } from "@metaplex-foundation/mpl-toolbox";
import type { Signer, TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import { deriveSigner } from "#chain/derived-signer";
import { buildCreateCollection } from "#chain/event-collection";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { importWalletSigner } from "#chain/wallet-signer";

/** Addresses that the service is configured with, in base58. */
export interface Provisioned {
  readonly walletAddress: string;
  readonly tree: string;
  readonly collection: string;
}

/** 16,384 tickets; 0.245 SOL of rent on a real cluster. */
const LOCAL_TREE = { maxDepth: 14, maxBufferSize: 64, canopyDepth: 8 };
const WALLET_LAMPORTS = 100_000_000_000;
const COMPUTE_UNITS = 400_000;
const POLL_MS = 50;
const MAX_POLLS = 600;

/**
 * Gives the wallet money, and makes a tree and a collection that belong to it, unless they are there. Their addresses derive
 * from the wallet, so they are the same after a restart.
 * @param walletSecretKey base58 of the 64-byte secret key.
 */
export async function provision(rpcUrl: string, walletSecretKey: string): Promise<Provisioned> {
  const wallet = await importWalletSigner(walletSecretKey);
  const rpc = createRpcClient(rpcUrl);
  const umi = createLeanUmi(rpc, wallet);
  const { tree, collection } = await deriveAddresses(umi, wallet);
  const balance = await rpc.call<{ value: number }>("getBalance", [wallet.publicKey]);
  if (balance.value < WALLET_LAMPORTS / 2) await rpc.call("requestAirdrop", [wallet.publicKey, WALLET_LAMPORTS]);
  if (!(await exists(rpc, tree.publicKey))) {
    await sendAndConfirm(umi, rpc, await createTreeV2(umi, { merkleTree: tree, ...LOCAL_TREE }));
  }
  if (!(await exists(rpc, collection.publicKey))) {
    await sendAndConfirm(
      umi,
      rpc,
      buildCreateCollection(umi, collection, { name: "Tickets", uri: "https://example.invalid/collection" }),
    );
  }
  return { walletAddress: wallet.publicKey, tree: tree.publicKey, collection: collection.publicKey };
}

/** The addresses that {@link provision} will use, without asking the chain. */
export async function deriveProvisioned(walletSecretKey: string): Promise<Provisioned> {
  const wallet = await importWalletSigner(walletSecretKey);
  const umi = createLeanUmi(createRpcClient("http://nobody.invalid"), wallet);
  const { tree, collection } = await deriveAddresses(umi, wallet);
  return { walletAddress: wallet.publicKey, tree: tree.publicKey, collection: collection.publicKey };
}

async function deriveAddresses(
  umi: Umi,
  wallet: Signer,
): Promise<{ tree: Awaited<ReturnType<typeof deriveSigner>>; collection: Awaited<ReturnType<typeof deriveSigner>> }> {
  return { tree: await deriveSigner(umi, wallet, "tree"), collection: await deriveSigner(umi, wallet, "collection") };
}

async function exists(rpc: RpcClient, address: string): Promise<boolean> {
  const answer = await rpc.call<{ value: unknown }>("getAccountInfo", [
    address,
    { encoding: "base64", dataSlice: { offset: 0, length: 0 } },
  ]);
  return answer.value !== null;
}

async function sendAndConfirm(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<void> {
  const latest = await rpc.call<{ value: { blockhash: string } }>("getLatestBlockhash", []);
  const transaction = await setComputeUnitLimit(umi, { units: COMPUTE_UNITS })
    .add(work)
    .setBlockhash(latest.value.blockhash)
    .buildAndSign(umi);
  const [wire] = base64.deserialize(umi.transactions.serialize(transaction));
  const signature = await rpc.call<string>("sendTransaction", [wire, { encoding: "base64" }]);
  for (let poll = 0; poll < MAX_POLLS; poll += 1) {
    const statuses = await rpc.call<{ value: ({ err: unknown } | null)[] }>("getSignatureStatuses", [[signature]]);
    const status = statuses.value[0];
    if (status?.err === null) return;
    if (status !== null && status !== undefined) throw new Error(`provisioning failed on chain: ${JSON.stringify(status.err)}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw new Error(`the local chain did not take ${base58.deserialize(transaction.signatures[0] ?? new Uint8Array())[0]}`);
}
