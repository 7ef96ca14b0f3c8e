/** Parameters are whatever the caller sent: each method says what it expects, and a wrong shape ends as an error answer. */
export type RpcMethod = (params: never) => unknown;

/** A refusal as JSON-RPC carries it. */
export class RpcRefusal extends Error {
  readonly code: number;
  readonly detail: unknown;

  constructor(code: number, message: string, detail?: unknown) {
    super(message);
    this.code = code;
    this.detail = detail;
  }
}
