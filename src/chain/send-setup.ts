import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import type { TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import type { RpcClient } from "./rpc-client.ts";

/** Making a tree or a collection takes 30,000 units; the real programs were measured. */
const SETUP_COMPUTE_UNITS = 60_000;
const PRICE_MICRO_LAMPORTS = 10_000;

/**
 * Signs and sends a transaction that makes an account, whose address is known before. Nothing is remembered: signing it anew is
 * safe, because a second transaction finds the account there and fails.
 * @returns its signature. Whether it landed, only the account says.
 * @throws RpcError when the node refuses it, and whatever `fetch` throws.
 */
export async function sendSetup(umi: Umi, rpc: RpcClient, work: TransactionBuilder): Promise<string> {
  const { value } = await rpc.call<{ value: { blockhash: string } }>("getLatestBlockhash", [{ commitment: "confirmed" }]);
  const transaction = await setComputeUnitLimit(umi, { units: SETUP_COMPUTE_UNITS })
    .add(setComputeUnitPrice(umi, { microLamports: PRICE_MICRO_LAMPORTS }))
    .add(work)
    .setBlockhash(value.blockhash)
    .buildAndSign(umi);
  const [signature] = transaction.signatures;
  if (signature === undefined) throw new Error("a built transaction has no signature");
  const [wire] = base64.deserialize(umi.transactions.serialize(transaction));
  await rpc.call<string>("sendTransaction", [wire, { encoding: "base64", preflightCommitment: "confirmed", maxRetries: 0 }]);
  return base58.deserialize(signature)[0];
}
