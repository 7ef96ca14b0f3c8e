import type { RpcClient } from "./rpc-client.ts";

/**
 * Sends signed bytes. `maxRetries: 0`: we send again ourselves, so that nothing is on its way that we have not decided.
 * @returns what the node complained of, for the record only: a refused or lost answer proves nothing.
 */
export async function sendTransaction(rpc: RpcClient, wireBase64: string): Promise<string | null> {
  const options = { encoding: "base64", preflightCommitment: "confirmed", maxRetries: 0 };
  try {
    await rpc.call<string>("sendTransaction", [wireBase64, options]);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "the node gave no answer";
  }
}
