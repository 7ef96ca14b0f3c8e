import type { RpcNode } from "./rpc-client.ts";

/** The calls that one of the transaction's instructions made, in order. */
export interface CallsOfInstruction {
  /** Place of that instruction in the message. */
  readonly index: number;
  readonly instructions: readonly {
    readonly programIdIndex: number;
    readonly data: string;
    /** 2 for what the instruction called itself, 3 for what that called, and so on. */
    readonly stackHeight: number | null;
  }[];
}

/** What `getTransaction` with encoding `json` answers, as far as it is read here. */
export interface TransactionAnswer {
  readonly slot: number;
  readonly transaction: {
    readonly message: {
      readonly accountKeys: readonly string[];
      readonly instructions: readonly { readonly programIdIndex: number; readonly data: string }[];
    };
  };
  readonly meta: {
    readonly err: unknown;
    readonly innerInstructions: readonly CallsOfInstruction[] | null;
    readonly loadedAddresses?: { readonly writable: readonly string[]; readonly readonly: readonly string[] };
  };
}

/** A finalized transaction; null while the node can't show it. */
export function readTransaction(node: RpcNode, signature: string): Promise<TransactionAnswer | null> {
  return node.call<TransactionAnswer | null>("getTransaction", [
    signature,
    { commitment: "finalized", encoding: "json", maxSupportedTransactionVersion: 1 },
  ]);
}
