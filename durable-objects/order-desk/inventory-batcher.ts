import type { InventoryPort, InventorySnapshot, ReserveCommand, ReserveOutcome } from "#domain/inventory-messages";

/** Holds in one call to an inventory. */
const COMMANDS_PER_CALL = 128;
/** Inventories whose batches are remembered; the least recently made is forgotten first. */
const INVENTORIES_REMEMBERED = 1_000;

/** An inventory's answer to one hold, with its stock after the call that carried it. */
export interface BatchedOutcome {
  readonly outcome: ReserveOutcome;
  readonly snapshot: InventorySnapshot | undefined;
}

interface Waiting {
  readonly command: ReserveCommand;
  readonly resolve: (outcome: BatchedOutcome) => void;
  readonly reject: (reason: unknown) => void;
}

interface Batch {
  waiting: Waiting[];
  calling: boolean;
}

/**
 * Gathers the holds that a desk wants of one inventory while an earlier call to it is under way, and sends them in the next.
 * The busier the sale, the fuller the calls: a hot inventory answers a few calls of many holds instead of a call for each
 * buyer, which is what one object's thread could not keep up with (docs/adr/0008).
 */
export class InventoryBatcher {
  readonly #inventory: (ticketTypeId: string) => InventoryPort;
  readonly #batches = new Map<string, Batch>();

  constructor(inventory: (ticketTypeId: string) => InventoryPort) {
    this.#inventory = inventory;
  }

  /** Asks for one hold; rejects when the call that carried it failed. The command is safe to repeat. */
  reserve(ticketTypeId: string, command: ReserveCommand): Promise<BatchedOutcome> {
    const batch = this.#batchOf(ticketTypeId);
    return new Promise((resolve, reject) => {
      batch.waiting.push({ command, resolve, reject });
      if (!batch.calling) void this.#callWhileWaiting(ticketTypeId, batch);
    });
  }

  #batchOf(ticketTypeId: string): Batch {
    const known = this.#batches.get(ticketTypeId);
    if (known) return known;
    if (this.#batches.size >= INVENTORIES_REMEMBERED) this.#forgetIdle();
    const batch: Batch = { waiting: [], calling: false };
    this.#batches.set(ticketTypeId, batch);
    return batch;
  }

  #forgetIdle(): void {
    for (const [ticketTypeId, batch] of this.#batches) if (!batch.calling) this.#batches.delete(ticketTypeId);
  }

  async #callWhileWaiting(ticketTypeId: string, batch: Batch): Promise<void> {
    batch.calling = true;
    while (batch.waiting.length > 0) {
      const sent = batch.waiting.splice(0, COMMANDS_PER_CALL);
      try {
        const { outcomes, snapshot } = await this.#inventory(ticketTypeId).reserve(sent.map((waiting) => waiting.command));
        for (const [position, waiting] of sent.entries()) {
          const outcome = outcomes[position];
          if (outcome) waiting.resolve({ outcome, snapshot });
          else waiting.reject(new Error("broken invariant: an inventory gave fewer outcomes than commands"));
        }
      } catch (error) {
        for (const waiting of sent) waiting.reject(error);
      }
    }
    batch.calling = false;
  }
}
