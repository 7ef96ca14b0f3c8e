import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import type { TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { base64 } from "@metaplex-foundation/umi/serializers";
import type { RpcClient } from "./rpc-client.ts";

/** The real programs take 23,000 to 206,000 for a tree, by its depth, and 33,000 for a collection. */
const COMPUTE_UNITS = 300_000;
const PRICE_MICRO_LAMPORTS = 10_000;
const SIGNATURE_LAMPORTS = 5_000;

/** Lamports that such a transaction costs with this many signatures, beside what it moves. */
export function setupFeeLamports(signatureCount: number): number {
  return SIGNATURE_LAMPORTS * signatureCount + Math.ceil((COMPUTE_UNITS * PRICE_MICRO_LAMPORTS) / 1_000_000);
}

/** A signed transaction that makes an account. */
export interface SignedSetup {
  readonly wireBase64: string;
  readonly lastValidBlockHeight: number;
}

/** Signs a transaction that makes an account, under the newest blockhash. */
export async function signSetup(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<SignedSetup> {
  const { value } = await rpc.call<{ value: { blockhash: string; lastValidBlockHeight: number } }>("getLatestBlockhash", [
    { commitment: "confirmed" },
  ]);
  const transaction = await setComputeUnitLimit(umi, { units: COMPUTE_UNITS })
    .add(setComputeUnitPrice(umi, { microLamports: PRICE_MICRO_LAMPORTS }))
    .add(work)
    .setBlockhash(value.blockhash)
    .buildAndSign(umi);
  const [wireBase64] = base64.deserialize(umi.transactions.serialize(transaction));
  return { wireBase64, lastValidBlockHeight: value.lastValidBlockHeight };
}

/**
 * Signs and sends a transaction that makes an account, whose address is known before. Nothing is remembered: signing it anew is
 * safe, because a second transaction finds the account there and fails. Whether it landed, only the account says.
 * @throws RpcError when the node refuses it, and whatever `fetch` throws.
 */
export async function sendSetup(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<void> {
  const { wireBase64 } = await signSetup(umi, rpc, work);
  const options = { encoding: "base64", preflightCommitment: "confirmed", maxRetries: 0 };
  await rpc.call<string>("sendTransaction", [wireBase64, options]);
}
