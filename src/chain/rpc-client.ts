import { CircuitBreakers, type CircuitBreakerName } from "#platform/circuit-breakers";

/** By place, or by name. */
type RpcParams = readonly unknown[] | Readonly<Record<string, unknown>>;

/** A node, or several as one. */
export interface RpcNode {
  /**
   * Calls a Solana JSON-RPC method and gives its `result`, unchecked: the caller says what it expects.
   * @throws RpcError when the node answers with an error, or with a status other than 2xx.
   * @throws DOMException `TimeoutError` when there is no answer in time, and whatever `fetch` throws.
   */
  call<T>(method: string, params?: RpcParams): Promise<T>;
}

/** The nodes of `SOLANA_RPC_URL`: each call goes to the first that is fit to answer it. */
export interface RpcClient extends RpcNode {
  /** The node that is asked first. */
  readonly url: string;
  /** Each by itself, in the order in which they are asked: for what one of them may offer and another not. */
  readonly nodes: readonly RpcNode[];
  /**
   * Makes calls that belong together all against one node. When that node fails, the work starts again from its beginning against
   * the next, so it must only read, or stand being repeated.
   */
  onOneNode<T>(work: (node: RpcNode) => Promise<T>): Promise<T>;
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

/** What a client may be made with. */
export interface RpcClientOptions {
  /** Replaces `fetch`, for a test. */
  readonly fetcher?: typeof fetch | undefined;
  /** The isolate's breakers; left out, the client has its own. */
  readonly breakers?: CircuitBreakers | undefined;
  /** Time that each call has; 10 s when left out. */
  readonly timeoutMs?: number | undefined;
  /** The nodes' breakers in their order, {@link NODE_BREAKERS} when left out: for calls whose failing says nothing of all others. */
  readonly breakerNames?: readonly CircuitBreakerName[];
}

interface RpcAnswer<T> {
  readonly result?: T;
  readonly error?: { readonly code: number; readonly message: string };
}

const TIMEOUT_MS = 10_000;
const LONGEST_DETAIL = 300;

/** Breakers of the nodes in the order of `SOLANA_RPC_URL`, which holds no more addresses than these. */
const NODE_BREAKERS: readonly CircuitBreakerName[] = ["solana-rpc", "solana-rpc-2", "solana-rpc-3"];

/** Addresses that `SOLANA_RPC_URL` may hold. */
export const MOST_RPC_NODES = NODE_BREAKERS.length;

/**
 * JSON-RPC errors that speak of the node and not of the call: behind the cluster, without history, without the block's status, internal
 * error. Those of HTTP are all of this kind, so a used-up quota (429) and a dead key (401) lead to the next node too.
 */
const NODE_AT_FAULT = new Set([-32_005, -32_011, -32_014, -32_603]);

/**
 * A client over plain `fetch`. No WebSocket: in workerd the one that umi's confirmation opens never connects, and a landed
 * transaction would be reported as expired.
 *
 * Each node has a circuit breaker. A call goes to the first whose breaker lets it through, and to the next when that one fails;
 * a refusal that says nothing of the node's health is the answer, and no other node is asked.
 * @param urls one address, or several with commas between them, the preferred one first.
 */
export function createRpcClient(urls: string, options: RpcClientOptions = {}): RpcClient {
  const { breakers = new CircuitBreakers(), breakerNames = NODE_BREAKERS } = options;
  const nodes = urls.split(",").map((url, place): RpcNode => {
    const call = callerOf(url.trim(), options);
    return { call: guardNode(call, breakerNames[place % breakerNames.length] ?? "solana-rpc", breakers) };
  });
  const onOneNode = async <T>(work: (node: RpcNode) => Promise<T>): Promise<T> => {
    let trouble: unknown = new Error("no Solana node is configured");
    for (const node of nodes) {
      try {
        return await work(node);
      } catch (error) {
        if (!isNodeAtFault(error)) throw error;
        trouble = error;
      }
    }
    throw trouble;
  };
  return {
    url: urls.split(",")[0]?.trim() ?? "",
    nodes,
    call: (method, params) => onOneNode((node) => node.call(method, params)),
    onOneNode,
  };
}

function callerOf(
  url: string,
  { fetcher = (input, init) => fetch(input, init), timeoutMs = TIMEOUT_MS }: RpcClientOptions,
): RpcNode["call"] {
  return async <T>(method: string, params: RpcParams = []): Promise<T> => {
    const response = await fetcher(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      signal: AbortSignal.timeout(timeoutMs),
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
  };
}

/** Only what is the node's fault is thrown inside the breaker, so only that opens it. */
function guardNode(call: RpcNode["call"], name: CircuitBreakerName, breakers: CircuitBreakers): RpcNode["call"] {
  return async <T>(method: string, params?: RpcParams): Promise<T> => {
    const answer = await breakers.run(name, async (): Promise<{ readonly result: T } | { readonly refusal: unknown }> => {
      try {
        return { result: await call<T>(method, params) };
      } catch (error) {
        if (isNodeAtFault(error)) throw error;
        return { refusal: error };
      }
    });
    if (!answer.ok) throw new NodeSkippedError(name);
    if ("refusal" in answer.value) throw answer.value.refusal;
    return answer.value.result;
  };
}

/** The node was not asked: its breaker is open. */
class NodeSkippedError extends Error {
  constructor(name: CircuitBreakerName) {
    super(`the breaker ${name} is open`);
    this.name = "NodeSkippedError";
  }
}

/** True for an error that says nothing of the call: another node may answer it. */
export function isNodeAtFault(error: unknown): boolean {
  // Anything that is no RpcError came from the network, from the time-out, from an answer that is no JSON, or from the breaker.
  return !(error instanceof RpcError) || error.code > 0 || NODE_AT_FAULT.has(error.code);
}
