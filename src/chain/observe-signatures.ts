import type { ChainObservation } from "#domain/mint";
import { hasBlocks } from "./block-range.ts";
import type { RpcClient, RpcNode } from "./rpc-client.ts";

/** A transaction to ask about. */
export interface SubmittedTransaction {
  /** Base58. */
  readonly signature: string;
  /** The chain takes it in a block of at most this height. */
  readonly lastValidBlockHeight: number;
}

interface SignatureStatus {
  readonly err: unknown;
  readonly confirmationStatus: string | null;
}

interface StatusesAnswer {
  readonly context: { readonly slot: number };
  readonly value: readonly (SignatureStatus | null)[];
}

/** As many as a node takes in one call. */
const SIGNATURES_A_CALL = 256;
/** Blocks for which a blockhash stays good. */
const BLOCKHASH_LIFE_BLOCKS = 150;

/**
 * What the chain says of each transaction, for one call when it knows them all. What a node does not know is asked about a second
 * time, in an order that makes its not knowing mean something (docs/adr/0006):
 *
 * 1. the finalized height and slot, then the status. So whatever could be in a block up to that height is in what is asked;
 * 2. the answer counts only from a node whose slot is at least that finalized slot: behind one address there may be several nodes,
 *    some behind the others;
 * 3. and only if the node has each block that the transaction could be in. One that has pruned them, or was away at that time, knows
 *    nothing of a transaction that landed, however up to date it is.
 *
 * All of it is asked of one address of `SOLANA_RPC_URL`, so no address speaks for another that is behind or prunes more. Of what one
 * can't tell the next is asked.
 */
export async function observeSignatures(
  rpc: RpcClient,
  submitted: readonly SubmittedTransaction[],
): Promise<Map<string, ChainObservation>> {
  const seen = new Map<string, ChainObservation>();
  for (let start = 0; start < submitted.length; start += SIGNATURES_A_CALL) {
    await askNodes(rpc, submitted.slice(start, start + SIGNATURES_A_CALL), seen);
  }
  return seen;
}

/** Asks one node after the other until all is clear. @throws when no node answers. */
async function askNodes(
  rpc: RpcClient,
  submitted: readonly SubmittedTransaction[],
  seen: Map<string, ChainObservation>,
): Promise<void> {
  let open = submitted;
  try {
    await rpc.onOneNode(async (node) => {
      for (const [signature, observation] of await observePart(node, open)) seen.set(signature, observation);
      open = open.filter(({ signature }) => seen.get(signature)?.seen === "unclear");
      if (open.length > 0) throw new Error("the node does not know enough to tell");
    });
  } catch (error) {
    if (open.some(({ signature }) => !seen.has(signature))) throw error;
  }
}

async function observePart(node: RpcNode, submitted: readonly SubmittedTransaction[]): Promise<Map<string, ChainObservation>> {
  const seen = new Map<string, ChainObservation>();
  const first = await askStatuses(node, submitted);
  const missing = submitted.filter((transaction, place) => {
    const status = first.value[place];
    if (status !== null && status !== undefined) seen.set(transaction.signature, present(status));
    return status === null || status === undefined;
  });
  if (missing.length === 0) return seen;
  const epoch = await node.call<{ absoluteSlot: number; blockHeight: number }>("getEpochInfo", [{ commitment: "finalized" }]);
  const second = await askStatuses(node, missing);
  const newest = { slot: epoch.absoluteSlot, height: epoch.blockHeight };
  for (const [place, { signature, lastValidBlockHeight }] of missing.entries()) {
    const status = second.value[place];
    if (status !== null && status !== undefined) {
      seen.set(signature, present(status));
      continue;
    }
    const isOver = lastValidBlockHeight < newest.height;
    const isClear =
      second.context.slot >= newest.slot &&
      (!isOver || (await hasBlocks(node, lastValidBlockHeight - BLOCKHASH_LIFE_BLOCKS, lastValidBlockHeight, newest)));
    seen.set(signature, { seen: isClear ? "unknown" : "unclear", finalizedBlockHeight: newest.height, error: null });
  }
  return seen;
}

function askStatuses(node: RpcNode, submitted: readonly SubmittedTransaction[]): Promise<StatusesAnswer> {
  const signatures = submitted.map(({ signature }) => signature);
  return node.call<StatusesAnswer>("getSignatureStatuses", [signatures, { searchTransactionHistory: true }]);
}

function present({ err, confirmationStatus }: SignatureStatus): ChainObservation {
  const known = { finalizedBlockHeight: 0, error: null };
  if (confirmationStatus !== "finalized") return { ...known, seen: "in_flight" };
  return err === null ? { ...known, seen: "succeeded" } : { ...known, seen: "failed", error: JSON.stringify(err) };
}
