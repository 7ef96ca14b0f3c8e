import type {
  ConfirmCommand,
  ConfirmOutcome,
  InventorySnapshot,
  ReserveCommand,
  ReserveOutcome,
} from "#domain/inventory-messages";
import { NoAnswerError } from "#platform/wait-at-most";
import type { DeskInventory } from "./limit-calls.ts";

/** Commands in one call to an inventory. */
const COMMANDS_PER_CALL = 128;

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

/**
 * Gathers the holds and the sales that a desk wants of one inventory while an earlier call for the like is under way, and sends
 * them in the next. The busier the sale, the fuller the calls: a hot inventory answers a few calls of many commands instead of a
 * call for each buyer, which is what one object's thread could not keep up with (docs/adr/0008).
 *
 * A command is safe to repeat, and rejects when the call that carried it failed, or one that it waited through was never answered.
 */
export class InventoryBatcher {
  readonly #holds: CallBatches<ReserveCommand, BatchedOutcome>;
  readonly #sales: CallBatches<ConfirmCommand, ConfirmOutcome>;

  constructor(inventory: (stockName: string) => DeskInventory) {
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
  /** What waits for the next call, of each inventory that is being called. */
  readonly #waiting = new Map<string, Waiting<Command, Outcome>[]>();

  constructor(call: (stockName: string, commands: readonly Command[]) => Promise<readonly Outcome[]>) {
    this.#call = call;
  }

  ask(stockName: string, command: Command): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const asked = { command, resolve, reject };
      const waiting = this.#waiting.get(stockName);
      if (waiting) waiting.push(asked);
      else void this.#callWhileWaiting(stockName, [asked]);
    });
  }

  async #callWhileWaiting(stockName: string, waiting: Waiting<Command, Outcome>[]): Promise<void> {
    this.#waiting.set(stockName, waiting);
    while (waiting.length > 0) {
      const sent = waiting.splice(0, COMMANDS_PER_CALL);
      const behindCount = waiting.length;
      try {
        const commands = sent.map(({ command }) => command);
        const outcomes = await this.#call(stockName, commands);
        for (const [position, { resolve, reject }] of sent.entries()) {
          const outcome = outcomes[position];
          if (outcome) resolve(outcome);
          else reject(new Error("broken invariant: an inventory gave fewer outcomes than commands"));
        }
      } catch (error) {
        // A queue behind an inventory that is silent would grow for as long, and then hold stock for buyers who left long ago.
        const behind = error instanceof NoAnswerError ? waiting.splice(0, behindCount) : [];
        for (const { reject } of [...sent, ...behind]) reject(error);
      }
    }
    this.#waiting.delete(stockName);
  }
}
