import type { BlockTicketsCommand, GatePort, RecallTicketsCommand } from "#domain/gate-messages";
import type { MakeCall } from "./breakable-reach.ts";

/** What a desk tells a gate, remembered as a gate remembers it: who is dead stays so. */
export class MemoryGate {
  readonly dead = new Set<string>();
  readonly blocked = new Set<string>();

  /** The gate as a desk reaches it. */
  openFor(call: MakeCall): Pick<GatePort, "recall" | "block"> {
    return {
      recall: (command) => call("recall", () => this.#recall(command)),
      block: (command) => call("block", () => this.#block(command)),
    };
  }

  #recall({ ticketIds }: RecallTicketsCommand): boolean {
    for (const ticketId of ticketIds) this.dead.add(ticketId);
    return true;
  }

  #block({ ticketIds, isBlocked }: BlockTicketsCommand): boolean {
    for (const ticketId of ticketIds) {
      if (isBlocked) this.blocked.add(ticketId);
      else this.blocked.delete(ticketId);
    }
    return true;
  }
}
