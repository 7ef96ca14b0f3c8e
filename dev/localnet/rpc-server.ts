import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FaultDice } from "./faults.ts";
import { RpcRefusal, type RpcMethod } from "./rpc-refusal.ts";

interface RpcRequest {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
}

const METHOD_NOT_FOUND = -32_601;
const INTERNAL_ERROR = -32_603;
const PARSE_ERROR = -32_700;
const EXPLORER_ORIGIN = "https://explorer.solana.com";
const LARGEST_BODY_BYTES = 1_000_000;

/**
 * Serves JSON-RPC 2.0 over HTTP on 127.0.0.1 only: this chain gives money to whoever asks.
 * @param port 0 takes a free one.
 * @param onCall is told the name of each method called.
 */
export async function serveRpc(
  methods: Readonly<Record<string, RpcMethod>>,
  dice: FaultDice,
  port: number,
  onCall: (method: string) => void = () => undefined,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const answerOne = (request: RpcRequest): unknown => {
    onCall(request.method ?? "");
    return { jsonrpc: "2.0", id: request.id ?? null, ...callMethod(methods, request) };
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response, dice, answerOne).catch(() => {
      response.writeHead(500).end();
    });
  });
  // Callers close idle connections. Were it done here, a machine too busy for its timers would send calls into connections just closed.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = server.address() as AddressInfo; // A server that listens on TCP has this form of address.
  return { url: `http://127.0.0.1:${bound.port}`, close: () => closeServer(server) };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  dice: FaultDice,
  answerOne: (request: RpcRequest) => unknown,
): Promise<void> {
  if (incoming.headers.origin === EXPLORER_ORIGIN) allowExplorer(response);
  if (incoming.method === "OPTIONS") {
    response.writeHead(204).end();
    return;
  }
  const request = parseRequest(await readBody(incoming));
  if (request === undefined) {
    sendJson(response, { jsonrpc: "2.0", id: null, error: { code: PARSE_ERROR, message: "Parse error" } });
    return;
  }
  if (Array.isArray(request)) {
    sendJson(response, request.map(answerOne));
    return;
  }
  const trouble = dice.drawForCall(request.method ?? "");
  if (trouble === undefined) {
    sendJson(response, answerOne(request));
    return;
  }
  if (trouble.isDone) answerOne(request);
  if ("status" in trouble) response.writeHead(trouble.status).end();
  else incoming.socket.destroy();
}

/** Solana's explorer asks from its readers' browsers. Other pages shall not make trouble on a developer's chain. */
function allowExplorer(response: ServerResponse): void {
  response.setHeader("access-control-allow-origin", EXPLORER_ORIGIN);
  response.setHeader("access-control-allow-headers", "content-type, solana-client");
  response.setHeader("access-control-allow-private-network", "true");
  response.setHeader("vary", "origin");
}

function callMethod(methods: Readonly<Record<string, RpcMethod>>, request: RpcRequest): object {
  const method = Object.hasOwn(methods, request.method ?? "") ? methods[request.method ?? ""] : undefined;
  if (method === undefined) return { error: { code: METHOD_NOT_FOUND, message: `Method not found: ${request.method ?? ""}` } };
  try {
    return { result: method((request.params ?? []) as never) }; // each method checks its own parameters
  } catch (error) {
    if (error instanceof RpcRefusal) return { error: { code: error.code, message: error.message, data: error.detail } };
    return { error: { code: INTERNAL_ERROR, message: error instanceof Error ? error.message : String(error) } };
  }
}

function parseRequest(body: string): RpcRequest | RpcRequest[] | undefined {
  try {
    return JSON.parse(body) as RpcRequest | RpcRequest[]; // Each field is checked where it is used.
  } catch {
    return undefined;
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  // A request without an encoding gives Buffers.
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > LARGEST_BODY_BYTES) throw new Error("request body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
