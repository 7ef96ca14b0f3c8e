import { isNodeAtFault, type RpcNode } from "./rpc-client.ts";

/** A block by its slot and its height: a slot may have no block, a height has exactly one. */
export interface BlockPlace {
  readonly slot: number;
  readonly height: number;
}

const FINALIZED = { commitment: "finalized" };
const HEAD_ONLY = { ...FINALIZED, transactionDetails: "none", rewards: false, maxSupportedTransactionVersion: 1 };

/** Steps back to a block that is low enough: each is longer than the one before, so few are needed however many slots are empty. */
const MOST_STEPS = 12;
const FIRST_SLACK_SLOTS = 16;

/**
 * True when a node has each block from one height to another. A node that was away and started from a snapshot has none of the time
 * between, although it has older ones and is up to date; so what it does not know of may have happened.
 *
 * As many blocks follow each other without a gap as their heights say: the first and the last are looked at, the others counted.
 * @param newest a finalized block of the node's, behind `toHeight`.
 * @throws when the node is at fault, so that the next one is asked; where it only says that it can't tell, it is false.
 */
export async function hasBlocks(node: RpcNode, fromHeight: number, toHeight: number, newest: BlockPlace): Promise<boolean> {
  try {
    const first = await findBlockUpTo(node, fromHeight, newest);
    if (first === undefined) return false;
    const count = toHeight - first.height + 1;
    const slots = await listBlocks(node, first.slot, count);
    const last = slots.at(-1);
    return last !== undefined && slots.length === count && (await readHeight(node, last)) === toHeight;
  } catch (error) {
    if (isNodeAtFault(error)) throw error;
    return false;
  }
}

/** A block of this height or a little lower; undefined when the node has none. */
async function findBlockUpTo(node: RpcNode, height: number, newest: BlockPlace): Promise<BlockPlace | undefined> {
  // There are at least as many slots as blocks, so the block can't be in a later slot than this.
  let startSlot = newest.slot - (newest.height - height);
  let seenSlot: number | undefined;
  for (let step = 0, slack = FIRST_SLACK_SLOTS; step < MOST_STEPS; step += 1, slack *= 2) {
    const [slot] = await listBlocks(node, Math.max(0, startSlot), 1);
    // The same block again: the node has none before it.
    if (slot === undefined || slot === seenSlot) return undefined;
    const found = await readHeight(node, slot);
    if (found <= height) return { slot, height: found };
    seenSlot = slot;
    startSlot = Math.min(startSlot, slot) - (found - height) - slack;
  }
  return undefined;
}

function listBlocks(node: RpcNode, startSlot: number, count: number): Promise<readonly number[]> {
  return node.call<readonly number[]>("getBlocksWithLimit", [startSlot, count, FINALIZED]);
}

/** The height of the block in a slot; infinite when the node does not tell. */
async function readHeight(node: RpcNode, slot: number): Promise<number> {
  const block = await node.call<{ readonly blockHeight: number | null } | null>("getBlock", [slot, HEAD_ONLY]);
  return block?.blockHeight ?? Number.POSITIVE_INFINITY;
}
