import type { MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { describeCause } from "../describe-cause.ts";

/**
 * What a message has come to. `settled`: it has done its work. `later`: deliver it again. `paused`: as `later`, but nothing is wrong
 * with the ticket, and its job must not be given up for it.
 */
export type MintProgress = "settled" | "later" | "paused";

/** `trouble` is what kept a ticket from going on, for people. */
export interface MintOutcome {
  readonly progress: MintProgress;
  readonly trouble: string | null;
}

/** What the messages of one delivery have come to, each by itself, although they share calls to the chain and to D1. */
export class MintOutcomes {
  readonly #logger: Logger;
  readonly #outcomes = new Map<string, MintOutcome>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A message that nothing was noted for is to be delivered again. */
  of(message: MintMessage): MintOutcome {
    return this.#outcomes.get(keyOf(message)) ?? { progress: "later", trouble: null };
  }

  note(messages: readonly MintMessage[], progress: MintProgress, trouble: string | null = null): void {
    for (const message of messages) this.#outcomes.set(keyOf(message), { progress, trouble });
  }

  /** Does a piece of work for these tickets. A throw is logged and makes their messages come again; the other tickets go on. */
  async attempt(messages: readonly MintMessage[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const trouble = describeCause(error);
      this.#logger.warn("mint step failed", { ticketIds: messages.map(({ ticketId }) => ticketId), error: trouble });
      this.note(messages, "later", trouble);
    }
  }
}

function keyOf({ tenantId, ticketId }: MintMessage): string {
  return `${tenantId} ${ticketId}`;
}
