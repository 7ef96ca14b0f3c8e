import { setComputeUnitLimit, setComputeUnitPrice } from "@metaplex-foundation/mpl-toolbox";
import type { Signer, TransactionBuilder, Umi } from "@metaplex-foundation/umi";
import { base64 } from "@metaplex-foundation/umi/serializers";
import { createLeanUmi } from "#chain/lean-umi";
import { createRpcClient, type RpcClient } from "#chain/rpc-client";

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

/** Making an account takes 33,000 units at most. */
const COMPUTE_UNITS = 100_000;
const PRICE_MICRO_LAMPORTS = 10_000;
const POLL_MS = 250;

/** The owner on the cluster behind an RPC address. */
export function openOwner(rpcUrl: string, signer: Signer): Owner {
  const rpc = createRpcClient(rpcUrl);
  return { signer, rpc, umi: createLeanUmi(rpc, signer) };
}

/** Lamports that a transaction of {@link settle} with this many signatures costs beside what it moves. */
export function setupFeeLamports(signatureCount: number): number {
  return 5_000 * signatureCount + Math.ceil((COMPUTE_UNITS * PRICE_MICRO_LAMPORTS) / 1_000_000);
}

/**
 * Sends a transaction and waits until it is in a block, sending the same bytes again meanwhile.
 * @returns its signature.
 * @throws when it failed on chain, or its blockhash died: what it was to make is looked for on the next try, so run it again.
 */
export async function settle({ umi, rpc }: Owner, work: TransactionBuilder): Promise<string> {
  const latest = await rpc.call<{ value: { blockhash: string; lastValidBlockHeight: number } }>("getLatestBlockhash", [
    { commitment: "confirmed" },
  ]);
  const transaction = await setComputeUnitLimit(umi, { units: COMPUTE_UNITS })
    .add(setComputeUnitPrice(umi, { microLamports: PRICE_MICRO_LAMPORTS }))
    .add(work)
    .setBlockhash(latest.value.blockhash)
    .buildAndSign(umi);
  const [wire] = base64.deserialize(umi.transactions.serialize(transaction));
  const send = (): Promise<string> =>
    rpc.call<string>("sendTransaction", [wire, { encoding: "base64", preflightCommitment: "confirmed" }]);
  const signature = await send();
  for (;;) {
    const statuses = await rpc.call<{ value: (SignatureStatus | null)[] }>("getSignatureStatuses", [[signature]]);
    const status = statuses.value[0] ?? undefined;
    if (status !== undefined && status.err !== null) throw new Error(`${signature} failed: ${JSON.stringify(status.err)}`);
    if (status !== undefined && (status.confirmationStatus !== "processed" || isLocal(rpc.url))) return signature;
    const height = await rpc.call<number>("getBlockHeight", [{ commitment: "confirmed" }]);
    if (height > latest.value.lastValidBlockHeight) throw new Error(`${signature} was not taken in time; run this again`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
    // Refused when it has landed meanwhile; the status decides.
    if (status === undefined) await send().catch(() => undefined);
  }
}

/** A local chain has one node: what it processed stays. Its slots may also be made by hand. */
function isLocal(url: string): boolean {
  return new URL(url).hostname === "127.0.0.1";
}
