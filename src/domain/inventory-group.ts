import {
  countSold,
  decideConfirm,
  decideRelease,
  decideReserve,
  decideRestock,
  isLive,
  refuseConfig,
  reportExpiry,
} from "./inventory.ts";
import type { Decision, LineChange, ReservationLine, Stock } from "./inventory.ts";
import type {
  ConfigureOutcome,
  ConfirmCommand,
  ConfirmOutcome,
  GiveBackOutcome,
  InventoryConfig,
  ReleaseCommand,
  ReserveCommand,
  ReserveOutcome,
  RestockCommand,
} from "./inventory-messages.ts";
import { InventoryState, type NumberedChange } from "./inventory-state.ts";
import { refuse } from "./result.ts";

/** What an inventory can be told. `sweep` comes from its own alarm: report expiries found by the loader. */
export type InventoryCommand =
  | { readonly kind: "configure"; readonly config: InventoryConfig }
  | { readonly kind: "reserve"; readonly command: ReserveCommand }
  | { readonly kind: "confirm"; readonly command: ConfirmCommand }
  | { readonly kind: "release"; readonly command: ReleaseCommand }
  | { readonly kind: "restock"; readonly command: RestockCommand }
  | { readonly kind: "sweep" };

/** The answer to a command of the same kind. */
export type InventoryOutcome =
  | { readonly kind: "configure"; readonly outcome: ConfigureOutcome }
  | { readonly kind: "reserve"; readonly outcome: ReserveOutcome }
  | { readonly kind: "confirm"; readonly outcome: ConfirmOutcome }
  | { readonly kind: "release"; readonly outcome: GiveBackOutcome }
  | { readonly kind: "restock"; readonly outcome: GiveBackOutcome }
  | { readonly kind: "sweep" };

/** What storage knows that a group of commands needs, loaded for the whole group at once. */
export interface GroupFacts {
  /** The lines that the commands name, and those of `expiredIds`. */
  readonly lines: ReadonlyMap<string, ReservationLine>;
  /** Tickets held (at the group's moment) or owned by each user that reserves; may be empty when there is no maximum. */
  readonly userCounts: ReadonlyMap<string, number>;
  /** {@link restockKey} of the restock commands of this group that were obeyed before. */
  readonly restocksDone: ReadonlySet<string>;
  /** Holds to report as expired, at most as many as one commit should carry. */
  readonly expiredIds: readonly string[];
}

/** What a group of commands comes to; all of it is stored in one transaction. */
export interface GroupResult {
  /** The state after the group; undefined while the inventory was never configured. */
  readonly state: InventoryState | undefined;
  readonly outcomes: readonly InventoryOutcome[];
  /** Every change of a reservation, in order; a line may occur more than once. */
  readonly changes: readonly NumberedChange[];
  readonly restocks: readonly RestockCommand[];
  readonly configured: boolean;
}

/** The decisions a group is made of. Tests put broken ones in their place to see that they are found out. */
export interface InventoryRules {
  readonly reserve: typeof decideReserve;
  readonly confirm: typeof decideConfirm;
  readonly release: typeof decideRelease;
  readonly restock: typeof decideRestock;
}

/** The decisions in force. */
export const INVENTORY_RULES: InventoryRules = {
  reserve: decideReserve,
  confirm: decideConfirm,
  release: decideRelease,
  restock: decideRestock,
};

/** A restock command is known by its id within its reservation. */
export function restockKey(command: { readonly commandId: string; readonly reservationId: string }): string {
  return `${command.commandId} ${command.reservationId}`;
}

const NO_SUCH_TYPE = refuse({ code: "not_found", what: "ticket_type" } as const);

/** Decides the commands of one group in order, each on what those before it left. */
class Group {
  state: InventoryState | undefined;
  configured = false;
  readonly changes: NumberedChange[] = [];
  readonly restocks: RestockCommand[] = [];
  readonly #lines: Map<string, ReservationLine>;
  readonly #userCounts: Map<string, number>;
  readonly #restocksDone: Set<string>;
  readonly #facts: GroupFacts;
  readonly #nowMs: number;
  readonly #rules: InventoryRules;

  constructor(state: InventoryState | undefined, facts: GroupFacts, nowMs: number, rules: InventoryRules) {
    this.state = state;
    this.#facts = facts;
    this.#lines = new Map(facts.lines);
    this.#userCounts = new Map(facts.userCounts);
    this.#restocksDone = new Set(facts.restocksDone);
    this.#nowMs = nowMs;
    this.#rules = rules;
  }

  decide(message: InventoryCommand): InventoryOutcome {
    if (message.kind === "configure") return { kind: "configure", outcome: this.#configure(message.config) };
    if (message.kind === "sweep") {
      this.#sweep();
      return { kind: "sweep" };
    }
    const state = this.state;
    if (state?.config.tenantId !== message.command.tenantId) return { kind: message.kind, outcome: NO_SUCH_TYPE };
    const stock = state.stockAt(this.#nowMs);
    const line = this.#lines.get(message.command.reservationId);
    switch (message.kind) {
      case "reserve": {
        const userCount = this.#userCounts.get(message.command.userId) ?? 0;
        return {
          kind: "reserve",
          outcome: this.#record(state, stock, line, this.#rules.reserve(stock, line, userCount, message.command)),
        };
      }
      case "confirm":
        return {
          kind: "confirm",
          outcome: this.#record(state, stock, line, this.#rules.confirm(stock, line, message.command)),
        };
      case "release":
        return {
          kind: "release",
          outcome: this.#record(state, stock, line, this.#rules.release(stock, line, message.command)),
        };
      case "restock":
        return { kind: "restock", outcome: this.#restock(state, stock, line, message.command) };
    }
  }

  #configure(config: InventoryConfig): ConfigureOutcome {
    const refusal = this.state && refuseConfig(this.state.stockAt(this.#nowMs), config);
    if (refusal) return refusal;
    this.state ??= new InventoryState(config);
    this.state.reconfigure(config, this.#nowMs);
    this.configured = true;
    return { ok: true, snapshot: this.state.snapshotAt(this.#nowMs) };
  }

  #restock(state: InventoryState, stock: Stock, line: ReservationLine | undefined, command: RestockCommand): GiveBackOutcome {
    const key = restockKey(command);
    const decision = this.#rules.restock(stock, line, this.#restocksDone.has(key), command);
    if (decision.change) {
      this.#restocksDone.add(key);
      this.restocks.push(command);
    }
    return this.#record(state, stock, line, decision);
  }

  #sweep(): void {
    const state = this.state;
    if (!state) return;
    for (const reservationId of this.#facts.expiredIds) {
      const stock = state.stockAt(this.#nowMs);
      const line = this.#lines.get(reservationId);
      const change = line && reportExpiry(stock, line);
      if (change) this.#apply(state, stock, line, change);
    }
  }

  #record<Outcome>(
    state: InventoryState,
    stock: Stock,
    line: ReservationLine | undefined,
    decision: Decision<Outcome>,
  ): Outcome {
    if (decision.change) this.#apply(state, stock, line, decision.change);
    return decision.outcome;
  }

  #apply(state: InventoryState, stock: Stock, before: ReservationLine | undefined, change: LineChange): void {
    this.changes.push(state.record(before, change, this.#nowMs));
    this.#lines.set(change.line.reservationId, change.line);
    const { userId } = change.line;
    const delta = countCommitted(change.line, stock.nowMs) - (before ? countCommitted(before, stock.nowMs) : 0);
    this.#userCounts.set(userId, (this.#userCounts.get(userId) ?? 0) + delta);
  }
}

/** Tickets of a line that count against its user's maximum. */
function countCommitted(line: ReservationLine, nowMs: number): number {
  return isLive(line, nowMs) ? line.quantity : countSold(line);
}

/**
 * Decides a group of commands, in order, each on what those before it left. Changes `state` in place: after a rollback it
 * must be built again from storage.
 * @throws when the outcome would be oversold: a bug, and nothing of the group may be stored.
 */
export function decideGroup(
  state: InventoryState | undefined,
  facts: GroupFacts,
  commands: readonly InventoryCommand[],
  nowMs: number,
  rules: InventoryRules = INVENTORY_RULES,
): GroupResult {
  const group = new Group(state, facts, nowMs, rules);
  const outcomes = commands.map((command) => group.decide(command));
  group.state?.assertNotOversold(nowMs);
  const { changes, restocks, configured } = group;
  return { state: group.state, outcomes, changes, restocks, configured };
}
