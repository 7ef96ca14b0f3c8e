import { describe, expect, it } from "vitest";
import { decideGroup, INVENTORY_RULES, type InventoryCommand, type InventoryRules } from "#domain/inventory-group";
import type { ReservationLine } from "#domain/inventory";
import { InventoryState } from "#domain/inventory-state";

const tenantId = "tenant";
const CONFIG = {
  tenantId,
  eventId: "event",
  ticketTypeId: "type",
  capacity: 4,
  status: "ACTIVE",
  saleStartsAtMs: null,
  saleEndsAtMs: null,
  minPerOrder: 1,
  maxPerOrder: 4,
  maxPerUser: 2,
  reservationTtlSeconds: 600,
} as const;

/** Decides the commands as one group of an inventory that nothing is known of yet. */
function decideTogether(commands: readonly InventoryCommand[], rules: InventoryRules = INVENTORY_RULES) {
  const state = new InventoryState(CONFIG);
  const facts = { lines: new Map(), userCounts: new Map(), restocksDone: new Set<string>(), expiredIds: [] };
  const { outcomes, changes, restocks } = decideGroup(state, facts, commands, 0, rules);
  return {
    outcomes: outcomes.map((answer) => ("outcome" in answer ? answer.outcome.ok : undefined)),
    changes,
    restocks,
    state,
  };
}

function reserve(reservationId: string, quantity: number): InventoryCommand {
  return { kind: "reserve", command: { tenantId, reservationId, userId: "ann", quantity } };
}

const confirm: InventoryCommand = { kind: "confirm", command: { tenantId, reservationId: "a", orderId: "order" } };
const release: InventoryCommand = {
  kind: "release",
  command: { tenantId, reservationId: "a", actor: "ann", cause: "changed_mind" },
};
const restock: InventoryCommand = {
  kind: "restock",
  command: { tenantId, commandId: "refund", reservationId: "a", quantity: 1, actor: "clerk", cause: "refund" },
};

describe("commands that are stored together", () => {
  it("give the same seats back once when one of them is a repeat", () => {
    const { outcomes, restocks, state } = decideTogether([reserve("a", 2), confirm, restock, restock]);
    expect(outcomes).toEqual([true, true, true, true]);
    expect(restocks).toHaveLength(1);
    expect(state.snapshotAt(0)).toMatchObject({ soldCount: 1, availableCount: 3 });
  });

  it("count together against their buyer's maximum, and what is given back among them does not", () => {
    expect(decideTogether([reserve("a", 2), reserve("b", 1)]).outcomes).toEqual([true, false]);
    expect(decideTogether([reserve("a", 2), release, reserve("b", 2), reserve("c", 1)]).outcomes).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const sold = [reserve("a", 2), confirm, reserve("b", 1), restock, reserve("c", 1), reserve("d", 1)];
    expect(decideTogether(sold).outcomes).toEqual([true, true, false, true, true, false]);
  });

  it("are refused together when a decision was wrong and more would be held and sold than there is, or less than nothing", () => {
    const line: ReservationLine = {
      reservationId: "a",
      userId: "ann",
      quantity: 5,
      restockedQuantity: 0,
      status: "ACTIVE",
      expiresAtMs: 600_000,
      orderId: null,
      retaken: false,
      createdAtMs: 0,
    };
    const made = { actor: "ann", cause: "broken", quantity: 5 };
    const reserveTooMany: InventoryRules["reserve"] = () => {
      return { outcome: { ok: true, expiresAtMs: line.expiresAtMs }, change: { ...made, line } };
    };
    expect(() => decideTogether([reserve("a", 5)], { ...INVENTORY_RULES, reserve: reserveTooMany })).toThrow("than there is");
    const sellTooMany: InventoryRules["confirm"] = () => {
      return { outcome: { ok: true, retaken: false }, change: { ...made, line: { ...line, status: "COMPLETED" } } };
    };
    expect(() => decideTogether([confirm], { ...INVENTORY_RULES, confirm: sellTooMany })).toThrow("than there is");
    const giveBackTooMany: InventoryRules["restock"] = () => {
      return { outcome: { ok: true }, change: { ...made, line: { ...line, status: "COMPLETED", restockedQuantity: 6 } } };
    };
    expect(() => decideTogether([restock], { ...INVENTORY_RULES, restock: giveBackTooMany })).toThrow("than there is");
  });
});
