import { decidePriorityFee } from "#domain/mint-batches";
import { BriefMemory } from "./brief-memory.ts";
import type { RpcClient } from "./rpc-client.ts";

/** 100,000 micro-lamports a unit: at most some 11,000 lamports a ticket. */
export const DEFAULT_PRIORITY_FEE_CAP = 100_000;

const FEES_REUSE_MS = 10_000;

/** Bids for a place in a block by what places cost of late; only blocks in which somebody wrote to the tree tell that. */
export class FeeBids {
  readonly #rpc: RpcClient;
  readonly #cap: number;
  readonly #readClockMs: () => number;
  readonly #byTree = new Map<string, BriefMemory<readonly number[]>>();

  /** @param cap highest bid, in micro-lamports a compute unit. */
  constructor(rpc: RpcClient, cap: number, readClockMs: () => number) {
    this.#rpc = rpc;
    this.#cap = cap;
    this.#readClockMs = readClockMs;
  }

  /**
   * The bid for a change of a tree, in micro-lamports a compute unit.
   * @param attempts transactions signed for it in vain.
   * @throws when no node can be reached.
   */
  async bidFor(tree: string, attempts: number): Promise<number> {
    const { value: fees } = await this.#feesOf(tree).read();
    return decidePriorityFee(fees, attempts, this.#cap);
  }

  #feesOf(tree: string): BriefMemory<readonly number[]> {
    const known = this.#byTree.get(tree);
    if (known !== undefined) return known;
    const fresh = new BriefMemory(FEES_REUSE_MS, this.#readClockMs, async () => {
      const recent = await this.#rpc.call<readonly { readonly prioritizationFee: number }[]>("getRecentPrioritizationFees", [
        [tree],
      ]);
      return recent.map(({ prioritizationFee }) => prioritizationFee);
    });
    this.#byTree.set(tree, fresh);
    return fresh;
  }
}
