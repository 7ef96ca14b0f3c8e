import type { Cluster, LedgerEntry } from "./cluster.ts";
import type { Faults } from "./faults.ts";

/** What one node knows of the cluster: it may be some slots behind, and may have pruned its oldest blocks. */
export class NodeView {
  readonly #cluster: Cluster;
  readonly #faults: Faults;

  constructor(cluster: Cluster, faults: Faults) {
    this.#cluster = cluster;
    this.#faults = faults;
  }

  /** Slot at a commitment; anything but `finalized` is the newest. */
  slotAt(commitment?: string): number {
    return this.#cluster.slotAt(commitment) - this.#faults.behindSlots;
  }

  heightAt(commitment?: string): number {
    return this.#cluster.heightAt(commitment) - this.#faults.behindSlots;
  }

  latestBlockhash(): { readonly blockhash: string; readonly lastValidBlockHeight: number } {
    return this.#cluster.blockhashBefore(this.#faults.behindSlots);
  }

  /** False for a blockhash that is dead, and for one that the node has not seen yet. */
  isBlockhashValid(blockhash: string): boolean {
    return this.#cluster.isBlockhashValid(blockhash, this.#faults.behindSlots);
  }

  findEntry(signature: string): LedgerEntry | undefined {
    const entry = this.#cluster.findEntry(signature);
    const isKnown = entry !== undefined && entry.slot <= this.slotAt() && entry.slot >= this.#faults.firstSlot;
    return isKnown ? entry : undefined;
  }

  confirmationOf(entry: LedgerEntry): "processed" | "confirmed" | "finalized" {
    if (entry.slot <= this.slotAt("finalized")) return "finalized";
    return entry.slot < this.slotAt() ? "confirmed" : "processed";
  }

  /** The oldest block that the node has; slots and heights run in step here. */
  firstBlock(): { readonly slot: number; readonly height: number } {
    const slot = this.#faults.firstSlot;
    return { slot, height: Math.max(0, slot - this.slotAt() + this.heightAt()) };
  }
}
