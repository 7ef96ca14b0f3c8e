import type { ChainObservation } from "#domain/mint";
import type { RpcClient } from "./rpc-client.ts";

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
 * 3. and only if the node's blocks reach back to before the transaction was signed. A node that has pruned them knows nothing of a
 *    transaction that landed, which matters for a job that was given up and queued again days later.
 *
 * All of it is asked of one address of `SOLANA_RPC_URL`, so no address speaks for another that is behind or prunes more.
 */
export async function observeSignatures(
  rpc: RpcClient,
  submitted: readonly SubmittedTransaction[],
): Promise<Map<string, ChainObservation>> {
  const seen = new Map<string, ChainObservation>();
  for (let start = 0; start < submitted.length; start += SIGNATURES_A_CALL) {
    const part = submitted.slice(start, start + SIGNATURES_A_CALL);
    const observed = await rpc.onOneNode((node) => observePart(node, part));
    for (const [signature, observation] of observed) seen.set(signature, observation);
  }
  return seen;
}

async function observePart(
  node: Pick<RpcClient, "call">,
  submitted: readonly SubmittedTransaction[],
): Promise<Map<string, ChainObservation>> {
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
  const finalizedBlockHeight = epoch.blockHeight;
  const isOver = missing.some(({ lastValidBlockHeight }) => lastValidBlockHeight < finalizedBlockHeight);
  const oldestHeight = isOver ? await findOldestHeight(node) : 0;
  for (const [place, { signature, lastValidBlockHeight }] of missing.entries()) {
    const status = second.value[place];
    const isBehind = second.context.slot < epoch.absoluteSlot;
    const isPruned = oldestHeight > lastValidBlockHeight - BLOCKHASH_LIFE_BLOCKS;
    if (status !== null && status !== undefined) seen.set(signature, present(status));
    else seen.set(signature, { seen: isBehind || isPruned ? "unclear" : "unknown", finalizedBlockHeight, error: null });
  }
  return seen;
}

function askStatuses(node: Pick<RpcClient, "call">, submitted: readonly SubmittedTransaction[]): Promise<StatusesAnswer> {
  const signatures = submitted.map(({ signature }) => signature);
  return node.call<StatusesAnswer>("getSignatureStatuses", [signatures, { searchTransactionHistory: true }]);
}

function present({ err, confirmationStatus }: SignatureStatus): ChainObservation {
  const known = { finalizedBlockHeight: 0, error: null };
  if (confirmationStatus !== "finalized") return { ...known, seen: "in_flight" };
  return err === null ? { ...known, seen: "succeeded" } : { ...known, seen: "failed", error: JSON.stringify(err) };
}

/** The height of the oldest block that the node still has; 0 when it has them all. */
async function findOldestHeight(node: Pick<RpcClient, "call">): Promise<number> {
  const slot = await node.call<number>("getFirstAvailableBlock");
  if (slot === 0) return 0;
  const block = await node.call<{ readonly blockHeight: number | null } | null>("getBlock", [
    slot,
    { commitment: "finalized", transactionDetails: "none", rewards: false, maxSupportedTransactionVersion: 0 },
  ]);
  // Pruned between the two calls, or not told: nothing is known of how far back the node sees.
  return block?.blockHeight ?? Number.POSITIVE_INFINITY;
}
