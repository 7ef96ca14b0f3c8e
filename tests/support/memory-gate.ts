import type { BlockTicketsCommand, GatePort, RecallTicketsCommand } from "#domain/gate-messages";
import type { MakeCall } from "./breakable-reach.ts";

/** What a desk tells a gate, remembered as a gate remembers it: who is dead stays so. */
export class MemoryGate {
  readonly dead = new Set<string>();
  readonly blocked = new Set<string>();
  readonly #versions = new Map<string, number>();

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

  #block({ ticketIds, isBlocked, version }: BlockTicketsCommand): boolean {
    for (const ticketId of ticketIds) {
      if (version <= (this.#versions.get(ticketId) ?? 0)) continue;
      this.#versions.set(ticketId, version);
      if (isBlocked) this.blocked.add(ticketId);
      else this.blocked.delete(ticketId);
    }
    return true;
  }
}
