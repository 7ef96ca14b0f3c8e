import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import type { TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import type { RpcClient } from "./rpc-client.ts";
import { submitTransaction } from "./send-transaction.ts";
import { readBlockhash, SIGNATURE_LAMPORTS, signTransaction, type SignedTransaction } from "./sign-transaction.ts";

/** The real programs take 23,000 to 206,000 for a tree, by its depth, and 33,000 for a collection. */
const COMPUTE_UNITS = 300_000;
const PRICE_MICRO_LAMPORTS = 10_000;

/** Lamports that such a transaction costs with this many signatures, beside what it moves. */
export function setupFeeLamports(signatureCount: number): number {
  return SIGNATURE_LAMPORTS * signatureCount + Math.ceil((COMPUTE_UNITS * PRICE_MICRO_LAMPORTS) / 1_000_000);
}

/** Signs a transaction that makes an account, under the newest blockhash. */
export async function signSetup(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<SignedTransaction> {
  const priced = setComputeUnitLimit(umi, { units: COMPUTE_UNITS })
    .add(setComputeUnitPrice(umi, { microLamports: PRICE_MICRO_LAMPORTS }))
    .add(work);
  return signTransaction(umi, priced, await readBlockhash(rpc));
}

/**
 * Signs and sends a transaction that makes an account, whose address is known before. Nothing is remembered: signing it anew is
 * safe, because a second transaction finds the account there and fails. Whether it landed, only the account says.
 * @throws RpcError when the node refuses it, and whatever `fetch` throws.
 */
export async function sendSetup(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<void> {
  const { wireBase64 } = await signSetup(umi, rpc, work);
  await submitTransaction(rpc, wireBase64);
}
