import type { GatePort } from "#domain/gate-messages";
import type { InventoryPort } from "#domain/inventory-messages";
import { answerWithin } from "#platform/wait-at-most";
import type { LeaseBlock } from "./number-blocks.ts";

/**
 * A call of a desk without an answer for this long has failed. Who asked for it hears so and may ask again, and those behind it go
 * on: the next holds of its ticket type, the next step of its order, the next lease of numbers, a repeat with the same
 * Idempotency-Key. Without a limit they would all wait until the platform resets the desk. Far longer than a busy inventory takes, and
 * shorter than the time for which an alarm leaves an order alone that it has taken up.
 */
const LONGEST_CALL_MS = 10_000;

/** What a desk asks of an inventory. */
export type DeskInventory = Pick<InventoryPort, "reserve" | "confirm" | "release" | "restock">;
/** What a desk asks of a gate. */
export type DeskGate = Pick<GatePort, "recall" | "block">;

/** The calls that desks make and whose receivers set no limit themselves. A payment provider does, and a delivery has its own. */
export interface DeskCalls {
  inventory(stockName: string): DeskInventory;
  gate(eventId: string): DeskGate;
  readonly leaseBlock: LeaseBlock;
}

/**
 * The same calls, each of which rejects when it has no answer in time. It may have been done, or be done later: all of them can be made
 * again, for their ids are derived, and a block of numbers that nobody took is left out.
 */
export function limitCalls(calls: DeskCalls): DeskCalls {
  const inTime = <T>(name: string, call: Promise<T>): Promise<T> => answerWithin(name, call, LONGEST_CALL_MS);
  return {
    inventory: (stockName) => {
      const inventory = calls.inventory(stockName);
      return {
        reserve: (commands) => inTime("reserve", inventory.reserve(commands)),
        confirm: (commands) => inTime("confirm", inventory.confirm(commands)),
        release: (command) => inTime("release", inventory.release(command)),
        restock: (command) => inTime("restock", inventory.restock(command)),
      };
    },
    gate: (eventId) => {
      const gate = calls.gate(eventId);
      return {
        recall: (command) => inTime("recall", gate.recall(command)),
        block: (command) => inTime("block", gate.block(command)),
      };
    },
    leaseBlock: (tenantId) => inTime("lease", calls.leaseBlock(tenantId)),
  };
}
