import type { GatePort } from "#domain/gate-messages";
import type { Network, Sender } from "./network.ts";

/** The event's gate, as far as desks know it: which tickets are dead, and which are blocked for now. */
export class SimulatedGate {
  readonly dead = new Set<string>();
  readonly #blocks = new Map<string, { readonly version: number; readonly isBlocked: boolean }>();
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  /** True when the ticket would be let in. */
  admits(ticketId: string): boolean {
    return !this.dead.has(ticketId) && this.#blocks.get(ticketId)?.isBlocked !== true;
  }

  /** The gate, as a desk reaches it. */
  openFor(life: Sender): Pick<GatePort, "recall" | "block"> {
    const call = (subject: string, work: () => void): Promise<boolean> =>
      this.#network.call({ from: life, subject: `gate.${subject}`, mayComeTwice: true }, (answer) => {
        work();
        answer(true);
      });
    return {
      recall: ({ ticketIds }) =>
        call("recall", () => {
          for (const ticketId of ticketIds) this.dead.add(ticketId);
        }),
      block: ({ ticketIds, isBlocked, version }) =>
        call("block", () => {
          for (const ticketId of ticketIds) {
            if (version > (this.#blocks.get(ticketId)?.version ?? 0)) this.#blocks.set(ticketId, { version, isBlocked });
          }
        }),
    };
  }
}
