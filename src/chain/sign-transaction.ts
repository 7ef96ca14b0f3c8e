import type { TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { base58, base64 } from "@metaplex-foundation/umi/serializers";
import type { SubmittedTransaction } from "./observe-signatures.ts";
import type { RpcClient } from "./rpc-client.ts";

/** What the cluster takes for each signature, whatever the transaction does. */
export const SIGNATURE_LAMPORTS = 5_000;

/** A blockhash and how long it is good. */
export interface Blockhash {
  readonly blockhash: string;
  readonly lastValidBlockHeight: number;
}

/** A signed transaction, not sent yet. `signature` is its id. */
export interface SignedTransaction extends SubmittedTransaction {
  readonly wireBase64: string;
}

/** The newest blockhash. */
export async function readBlockhash(rpc: RpcClient): Promise<Blockhash> {
  const { value } = await rpc.call<{ readonly value: Blockhash }>("getLatestBlockhash", [{ commitment: "confirmed" }]);
  return value;
}

/** Signs work under a blockhash with umi's identity and the work's own signers, sending nothing. */
export async function signTransaction(umi: Umi, work: TransactionBuilder, blockhash: Blockhash): Promise<SignedTransaction> {
  const transaction = await work.setBlockhash(blockhash.blockhash).buildAndSign(umi);
  const [first] = transaction.signatures;
  if (first === undefined) throw new Error("a built transaction has no signature");
  return {
    signature: base58.deserialize(first)[0],
    wireBase64: base64.deserialize(umi.transactions.serialize(transaction))[0],
    lastValidBlockHeight: blockhash.lastValidBlockHeight,
  };
}
