import type { Signer, TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";
import { signSetup } from "#chain/send-setup";
import { sendTransaction, submitTransaction } from "#chain/send-transaction";

/** Who owns trees and collections, on a cluster. The owner's key is in use here only, never in the Worker. */
export interface Owner {
  readonly signer: Signer;
  readonly umi: Umi;
  readonly rpc: RpcClient;
}

interface SignatureStatus {
  readonly err: unknown;
  readonly confirmationStatus: string;
}

const POLL_MS = 250;

/** The owner on the cluster behind an RPC address. */
export function openOwner(rpcUrl: string, signer: Signer): Owner {
  const rpc = createRpcClient(rpcUrl);
  return { signer, rpc, umi: createLeanUmi(rpc, signer) };
}

/**
 * Sends a transaction and waits until it is in a block, sending the same bytes again meanwhile.
 * @returns its signature.
 * @throws when it failed on chain, or its blockhash died: what it was to make is looked for on the next try, so run it again.
 */
export async function settle({ umi, rpc }: Owner, work: TransactionBuilder): Promise<string> {
  const { wireBase64, signature, lastValidBlockHeight } = await signSetup(umi, rpc, work);
  await submitTransaction(rpc, wireBase64);
  for (;;) {
    const statuses = await rpc.call<{ value: (SignatureStatus | null)[] }>("getSignatureStatuses", [[signature]]);
    const status = statuses.value[0] ?? undefined;
    if (status !== undefined && status.err !== null) throw new Error(`${signature} failed: ${JSON.stringify(status.err)}`);
    if (status !== undefined && (status.confirmationStatus !== "processed" || isLocal(rpc.url))) return signature;
    const height = await rpc.call<number>("getBlockHeight", [{ commitment: "confirmed" }]);
    if (height > lastValidBlockHeight) throw new Error(`${signature} was not taken in time; run this again`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
    // Refused when it has landed meanwhile; the status decides.
    if (status === undefined) await sendTransaction(rpc, wireBase64);
  }
}

/** A local chain has one node: what it processed stays. Its slots may also be made by hand. */
function isLocal(url: string): boolean {
  return new URL(url).hostname === "127.0.0.1";
}
