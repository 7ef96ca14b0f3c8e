import type { Cluster, LedgerEntry } from "./cluster.ts";
import type { Faults } from "./faults.ts";

/** What one node knows of the cluster: it may be some slots behind, and may lack its oldest blocks or those of a time when it was away. */
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
    const isKnown = entry !== undefined && entry.slot <= this.slotAt() && this.#has(entry.slot);
    return isKnown ? entry : undefined;
  }

  confirmationOf(entry: LedgerEntry): "processed" | "confirmed" | "finalized" {
    if (entry.slot <= this.slotAt("finalized")) return "finalized";
    return entry.slot < this.slotAt() ? "confirmed" : "processed";
  }

  /** Slots of finalized blocks that the node has, from a slot on. */
  listBlocks(startSlot: number, limit: number): number[] {
    const slots: number[] = [];
    for (let slot = Math.max(startSlot, this.#faults.firstSlot); slot <= this.slotAt("finalized"); slot += 1) {
      if (slots.length === limit) break;
      if (this.#has(slot)) slots.push(slot);
    }
    return slots;
  }

  /** Height of the block in a slot, if the node has it; slots and heights run in step here. */
  heightOf(slot: number): number | undefined {
    const height = slot - this.slotAt() + this.heightAt();
    return this.#has(slot) && slot <= this.slotAt() && height >= 0 ? height : undefined;
  }

  #has(slot: number): boolean {
    const { firstSlot, missingSlots } = this.#faults;
    const isMissing = missingSlots !== null && slot >= missingSlots[0] && slot <= missingSlots[1];
    return slot >= firstSlot && !isMissing;
  }
}
