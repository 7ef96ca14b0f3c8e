import type {
  ConfirmCommand,
  ConfirmOutcome,
  InventoryPort,
  InventorySnapshot,
  ReserveCommand,
  ReserveOutcome,
} from "#domain/inventory-messages";

/** Commands in one call to an inventory. */
const COMMANDS_PER_CALL = 128;
/** Inventories whose batches are remembered; the least recently made is forgotten first. */
const INVENTORIES_REMEMBERED = 1_000;

/** An inventory's answer to one hold, with its stock after the call that carried it. */
export interface BatchedOutcome {
  readonly outcome: ReserveOutcome;
  readonly snapshot: InventorySnapshot | undefined;
}

interface Waiting<Command, Outcome> {
  readonly command: Command;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (reason: unknown) => void;
}

interface Batch<Command, Outcome> {
  waiting: Waiting<Command, Outcome>[];
  calling: boolean;
}

/**
 * Gathers the holds and the sales that a desk wants of one inventory while an earlier call for the like is under way, and sends
 * them in the next. The busier the sale, the fuller the calls: a hot inventory answers a few calls of many commands instead of a
 * call for each buyer, which is what one object's thread could not keep up with (docs/adr/0008).
 *
 * A command is safe to repeat, and rejects when the call that carried it failed.
 */
export class InventoryBatcher {
  readonly #holds: CallBatches<ReserveCommand, BatchedOutcome>;
  readonly #sales: CallBatches<ConfirmCommand, ConfirmOutcome>;

  constructor(inventory: (stockName: string) => InventoryPort) {
    this.#holds = new CallBatches(async (stockName, commands) => {
      const { outcomes, snapshot } = await inventory(stockName).reserve(commands);
      return outcomes.map((outcome) => ({ outcome, snapshot }));
    });
    this.#sales = new CallBatches((stockName, commands) => inventory(stockName).confirm(commands));
  }

  /** Asks for one hold. */
  reserve(stockName: string, command: ReserveCommand): Promise<BatchedOutcome> {
    return this.#holds.ask(stockName, command);
  }

  /** Asks to make one hold a sale. */
  confirm(stockName: string, command: ConfirmCommand): Promise<ConfirmOutcome> {
    return this.#sales.ask(stockName, command);
  }
}

/** Commands of one kind, each waiting for a call to its inventory; answers come by position. */
class CallBatches<Command, Outcome> {
  readonly #call: (stockName: string, commands: readonly Command[]) => Promise<readonly Outcome[]>;
  readonly #batches = new Map<string, Batch<Command, Outcome>>();

  constructor(call: (stockName: string, commands: readonly Command[]) => Promise<readonly Outcome[]>) {
    this.#call = call;
  }

  ask(stockName: string, command: Command): Promise<Outcome> {
    const batch = this.#batchOf(stockName);
    return new Promise((resolve, reject) => {
      batch.waiting.push({ command, resolve, reject });
      if (!batch.calling) void this.#callWhileWaiting(stockName, batch);
    });
  }

  #batchOf(stockName: string): Batch<Command, Outcome> {
    const known = this.#batches.get(stockName);
    if (known) return known;
    if (this.#batches.size >= INVENTORIES_REMEMBERED) this.#forgetIdle();
    const batch: Batch<Command, Outcome> = { waiting: [], calling: false };
    this.#batches.set(stockName, batch);
    return batch;
  }

  #forgetIdle(): void {
    for (const [stockName, batch] of this.#batches) if (!batch.calling) this.#batches.delete(stockName);
  }

  async #callWhileWaiting(stockName: string, batch: Batch<Command, Outcome>): Promise<void> {
    batch.calling = true;
    while (batch.waiting.length > 0) {
      const sent = batch.waiting.splice(0, COMMANDS_PER_CALL);
      try {
        const commands = sent.map((waiting) => waiting.command);
        const outcomes = await this.#call(stockName, commands);
        for (const [position, waiting] of sent.entries()) {
          const outcome = outcomes[position];
          if (outcome) waiting.resolve(outcome);
          else waiting.reject(new Error("broken invariant: an inventory gave fewer outcomes than commands"));
        }
      } catch (error) {
        for (const waiting of sent) waiting.reject(error);
      }
    }
    batch.calling = false;
  }
}
