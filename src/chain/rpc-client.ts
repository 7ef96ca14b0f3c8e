/** Calls a Solana JSON-RPC method and gives its `result`, unchecked: the caller says what it expects. */
export interface RpcClient {
  readonly url: string;
  /**
   * @throws RpcError when the node answers with an error, or with a status other than 2xx.
   * @throws DOMException `TimeoutError` when there is no answer in time, and whatever `fetch` throws.
   */
  call<T>(method: string, params?: readonly unknown[]): Promise<T>;
}

/** The node refused. `code` is the JSON-RPC error code, or the HTTP status when there was no JSON-RPC answer at all. */
export class RpcError extends Error {
  readonly code: number;

  constructor(method: string, code: number, detail: string) {
    super(`solana ${method}: ${detail} (${code})`);
    this.name = "RpcError";
    this.code = code;
  }
}

interface RpcAnswer<T> {
  readonly result?: T;
  readonly error?: { readonly code: number; readonly message: string };
}

const TIMEOUT_MS = 10_000;
const LONGEST_DETAIL = 300;

/**
 * A client over plain `fetch`. No WebSocket: in workerd the one that umi's confirmation opens never connects, and a landed
 * transaction would be reported as expired.
 * @param fetcher replaces `fetch`, for a circuit breaker or a test.
 */
export function createRpcClient(url: string, fetcher: typeof fetch = (input, init) => fetch(input, init)): RpcClient {
  return {
    url,
    async call<T>(method: string, params: readonly unknown[] = []): Promise<T> {
      const response = await fetcher(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new RpcError(method, response.status, "HTTP status");
      }
      // The node is trusted to follow the protocol; a wrong shape shows where it is read.
      const answer = (await response.json()) as RpcAnswer<T>;
      if (answer.error !== undefined) {
        throw new RpcError(method, answer.error.code, answer.error.message.slice(0, LONGEST_DETAIL));
      }
      return answer.result as T; // JSON-RPC 2.0: exactly one of result and error is present.
    },
  };
}
