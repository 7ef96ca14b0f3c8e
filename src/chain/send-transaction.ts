import type { RpcClient } from "./rpc-client.ts";

/**
 * Hands signed bytes to the node. `maxRetries: 0`: we send again ourselves, so that nothing is on its way that we have not decided.
 * @throws RpcError when the node refuses them, and whatever `fetch` throws.
 */
export async function submitTransaction(rpc: RpcClient, wireBase64: string): Promise<void> {
  const options = { encoding: "base64", preflightCommitment: "confirmed", maxRetries: 0 };
  await rpc.call<string>("sendTransaction", [wireBase64, options]);
}

/**
 * As {@link submitTransaction}, for bytes that are observed later. Never throws.
 * @returns what the node complained of, for the record only: a refused or lost answer proves nothing.
 */
export async function sendTransaction(rpc: RpcClient, wireBase64: string): Promise<string | null> {
  try {
    await submitTransaction(rpc, wireBase64);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "the node gave no answer";
  }
}
