import { expect, it } from "vitest";
import { decideConfirm, decideRelease, decideReserve, decideRestock } from "#domain/inventory";
import type { InventoryCommand, InventoryRules } from "#domain/inventory-group";
import type { InventoryConfig } from "#domain/inventory-messages";
import { MemoryInventory } from "../support/memory-inventory.ts";
import { NaiveInventory } from "../support/naive-inventory.ts";

const TENANT = "tenant";
const HOLD_MS = 5_000;
const HONEST: InventoryRules = {
  reserve: decideReserve,
  confirm: decideConfirm,
  release: decideRelease,
  restock: decideRestock,
};

function makeConfig(capacity: number, change: Partial<InventoryConfig> = {}): InventoryConfig {
  return {
    tenantId: TENANT,
    eventId: "event",
    ticketTypeId: "type",
    capacity,
    status: "ACTIVE",
    saleStartsAtMs: null,
    saleEndsAtMs: null,
    minPerOrder: 1,
    maxPerOrder: 2,
    maxPerUser: 2,
    reservationTtlSeconds: HOLD_MS / 1000,
    ...change,
  };
}

/** A step is a command, or time that passes. */
type Step = InventoryCommand | { readonly kind: "wait"; readonly ms: number };

function listSteps(capacity: number): Step[] {
  const buyers = [
    { reservationId: "a", userId: "ann", quantity: 1 },
    { reservationId: "b", userId: "ann", quantity: 2 },
    { reservationId: "c", userId: "bob", quantity: 1 },
  ];
  return [
    ...buyers.flatMap(({ reservationId, userId, quantity }): Step[] => [
      { kind: "reserve", command: { tenantId: TENANT, reservationId, userId, quantity } },
      { kind: "confirm", command: { tenantId: TENANT, reservationId, orderId: `order of ${reservationId}` } },
      { kind: "release", command: { tenantId: TENANT, reservationId, actor: userId, cause: "changed_mind" } },
    ]),
    { kind: "reserve", command: { tenantId: TENANT, reservationId: "a", userId: "ann", quantity: 2 } },
    { kind: "reserve", command: { tenantId: TENANT, reservationId: "d", userId: "cid", quantity: 3 } },
    { kind: "confirm", command: { tenantId: TENANT, reservationId: "a", orderId: "another order" } },
    ...["first", "second"].map((commandId): Step => {
      const restock = { tenantId: TENANT, commandId, reservationId: "b", quantity: 1, actor: "clerk", cause: "refund" };
      return { kind: "restock", command: restock };
    }),
    { kind: "configure", config: makeConfig(capacity - 1) },
    { kind: "configure", config: makeConfig(capacity, { status: "ARCHIVED" }) },
    { kind: "sweep" },
    { kind: "wait", ms: HOLD_MS - 1 },
    { kind: "wait", ms: 1 },
  ];
}

interface Node {
  readonly real: MemoryInventory;
  readonly naive: NaiveInventory;
  readonly nowMs: number;
  readonly path: readonly Step[];
}

function forgetSnapshot(outcome: unknown): unknown {
  if (typeof outcome !== "object" || outcome === null || !("snapshot" in outcome)) return outcome;
  return { ok: true };
}

/** Takes one step with both, and throws if they differ or if an invariant is broken. */
function takeStep(node: Node, step: Step): Node {
  const path = [...node.path, step];
  if (step.kind === "wait") return check({ ...node, real: node.real.clone(), nowMs: node.nowMs + step.ms, path });
  const real = node.real.clone();
  const naive = node.naive.clone();
  const answer = real.apply(step, node.nowMs);
  const due = naive.apply(step, node.nowMs);
  if (answer.kind !== "sweep") {
    const given = JSON.stringify(forgetSnapshot(answer.outcome));
    if (given !== JSON.stringify(due))
      throw new Error(`answered ${given}, not ${JSON.stringify(due)}, after ${JSON.stringify(path)}`);
  }
  return check({ real, naive, nowMs: node.nowMs, path });
}

function check(node: Node): Node {
  const { real, naive, nowMs, path } = node;
  const { capacity, heldCount, soldCount, availableCount } = real.snapshotAt(nowMs);
  const isRight =
    heldCount === naive.heldCount(nowMs) &&
    soldCount === naive.soldCount() &&
    capacity === naive.config.capacity &&
    heldCount + soldCount + availableCount === capacity &&
    Math.min(heldCount, soldCount, availableCount) >= 0;
  if (!isRight) throw new Error(`wrong stock ${JSON.stringify(real.snapshotAt(nowMs))} after ${JSON.stringify(path)}`);
  return node;
}

/**
 * Tries every sequence of steps up to `depth`, taking up each state (of both, times relative to now) once.
 * @returns how many different states were seen.
 */
function explore(capacity: number, depth: number, rules: InventoryRules): number {
  const steps = listSteps(capacity);
  const config = makeConfig(capacity);
  const seen = new Set<string>();
  let frontier: Node[] = [
    { real: new MemoryInventory(config, rules), naive: new NaiveInventory(config), nowMs: 1_000, path: [] },
  ];
  for (let length = 0; length < depth; length += 1) {
    const next: Node[] = [];
    for (const node of frontier) {
      for (const step of steps) {
        const reached = takeStep(node, step);
        const key = reached.real.describe(reached.nowMs);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(reached);
      }
    }
    frontier = next;
  }
  return seen.size;
}

it.each([1, 2, 3])(
  "never sells past a capacity of %i, whatever the order of holds, sales, returns and expiries",
  { timeout: 60_000 },
  (capacity) => {
    const size = explore(capacity, 7, HONEST);
    expect(size).toBeGreaterThan(200);
  },
);

it("would notice a hold that lives a millisecond too long", () => {
  const late: InventoryRules = {
    ...HONEST,
    confirm: (stock, line, command) => decideConfirm({ ...stock, nowMs: stock.nowMs - 1 }, line, command),
  };
  expect(() => explore(1, 4, late)).toThrow();
});

it("would notice a sale that forgets to ask whether the stock of an expired hold is still there", () => {
  const careless: InventoryRules = {
    ...HONEST,
    confirm: (stock, line, command) =>
      decideConfirm({ ...stock, config: { ...stock.config, capacity: Number.MAX_SAFE_INTEGER } }, line, command),
  };
  expect(() => explore(1, 5, careless)).toThrow();
});

it("would notice a hold that looks at the stock without the holds", () => {
  const blind: InventoryRules = { ...HONEST, reserve: (stock, ...rest) => decideReserve({ ...stock, heldCount: 0 }, ...rest) };
  expect(() => explore(1, 3, blind)).toThrow();
});
