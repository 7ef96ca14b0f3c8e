import { isLive, type ReservationLine } from "#domain/inventory";
import {
  decideGroup,
  restockKey,
  type GroupFacts,
  type InventoryCommand,
  type InventoryOutcome,
  type InventoryRules,
} from "#domain/inventory-group";
import type { InventoryConfig, InventorySnapshot } from "#domain/inventory-messages";
import { InventoryState } from "#domain/inventory-state";

/** The inventory's own decisions over Maps in place of SQLite, so that millions of steps can be tried without a platform. */
export class MemoryInventory {
  #state: InventoryState;
  readonly #lines = new Map<string, ReservationLine>();
  readonly #restocks = new Set<string>();
  readonly #rules: InventoryRules | undefined;

  constructor(config: InventoryConfig, rules?: InventoryRules) {
    this.#state = new InventoryState(config);
    this.#rules = rules;
  }

  apply(command: InventoryCommand, nowMs: number): InventoryOutcome {
    const result = decideGroup(this.#state, this.#loadFacts(nowMs), [command], nowMs, this.#rules);
    for (const change of result.changes) this.#lines.set(change.line.reservationId, change.line);
    for (const restock of result.restocks) this.#restocks.add(restockKey(restock));
    const [outcome] = result.outcomes;
    if (!outcome) throw new Error("no outcome");
    return outcome;
  }

  snapshotAt(nowMs: number): InventorySnapshot {
    return this.#state.snapshotAt(nowMs);
  }

  /** As after an eviction: the state is built again from what is stored. */
  clone(): MemoryInventory {
    const copy = new MemoryInventory(this.#state.config, this.#rules);
    const active = [...this.#lines.values()].filter((line) => line.status === "ACTIVE");
    copy.#state = new InventoryState(this.#state.config, this.#state.counters, active);
    for (const [id, line] of this.#lines) copy.#lines.set(id, line);
    for (const key of this.#restocks) copy.#restocks.add(key);
    return copy;
  }

  /** Everything a later answer may depend on, with times counted from `nowMs` (all that is past is one). */
  describe(nowMs: number): string {
    const byId = [...this.#lines.values()].toSorted((one, other) => one.reservationId.localeCompare(other.reservationId));
    const lines = byId.map((line) => [
      line.reservationId,
      line.status,
      line.quantity,
      line.restockedQuantity,
      line.orderId,
      line.retaken,
      Math.max(-1, line.expiresAtMs - nowMs),
    ]);
    const { config, counters } = this.#state;
    return JSON.stringify([
      config.capacity,
      config.status,
      counters.soldCount,
      lines,
      [...this.#restocks].toSorted((one, other) => one.localeCompare(other)),
    ]);
  }

  #loadFacts(nowMs: number): GroupFacts {
    const userCounts = new Map<string, number>();
    for (const line of this.#lines.values()) {
      const sold = line.status === "COMPLETED" ? line.quantity - line.restockedQuantity : 0;
      const held = isLive(line, nowMs) ? line.quantity : 0;
      userCounts.set(line.userId, (userCounts.get(line.userId) ?? 0) + sold + held);
    }
    return { lines: this.#lines, userCounts, restocksDone: this.#restocks, expiredIds: [...this.#lines.keys()] };
  }
}
