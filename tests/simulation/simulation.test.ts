import { describe, expect, it } from "vitest";
import { runWorld } from "#dev/simulate/simulated-world";
import { SimulationFailure } from "#dev/simulate/trace";
import { decideConfirm, decideRelease, decideReserve, decideRestock } from "#domain/inventory";
import { INVENTORY_RULES, type InventoryRules } from "#domain/inventory-group";

/** Worlds that every run plays, and how much happens in each. */
const FIXED_SEEDS = [1, 2, 3, 4];
const OPERATIONS = 8_000;
/** Worlds that a broken decision is given to be found out in, and how much happens in each. */
const SEEDS_TO_FIND = Array.from({ length: 12 }, (_, position) => 1_000 + position);

/** What the simulation finds wrong with these decisions; undefined when it finds nothing. */
async function findFault(rules: InventoryRules): Promise<SimulationFailure | undefined> {
  for (const seed of SEEDS_TO_FIND) {
    try {
      await runWorld({ seed, operations: OPERATIONS, rules });
    } catch (error) {
      if (error instanceof SimulationFailure) return error;
      throw error;
    }
  }
  return undefined;
}

describe("the sale, with everything going wrong around it", () => {
  it.each(FIXED_SEEDS)("keeps every promise in world %i", async (seed) => {
    const { operations, orders, tickets } = await runWorld({ seed, operations: OPERATIONS });
    expect(operations).toBeGreaterThanOrEqual(OPERATIONS);
    expect(orders).toBeGreaterThan(10);
    expect(tickets).toBeGreaterThan(10);
  });

  it("keeps every promise in a world that nobody has seen before", async () => {
    const seed = Math.floor(Math.random() * 1_000_000_000);
    process.stdout.write(`random world: npm run simulate -- --seed ${seed} --ops ${OPERATIONS}\n`);
    expect(await runWorld({ seed, operations: OPERATIONS })).toMatchObject({ seed });
  });
});

describe("the simulation", () => {
  it("happens in exactly the same way each time a seed is played", async () => {
    const [first, second, other] = [
      await runWorld({ seed: 7, operations: 3_000 }),
      await runWorld({ seed: 7, operations: 3_000 }),
      await runWorld({ seed: 8, operations: 3_000 }),
    ];
    expect(second).toEqual(first);
    expect(other.traceHash).not.toBe(first.traceHash);
  });

  it("would notice a hold that lives a millisecond too long", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      confirm: (stock, line, command) => decideConfirm({ ...stock, nowMs: stock.nowMs - 1 }, line, command),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/the hold was not alive/);
  });

  it("would notice a hold that is freed a millisecond too early", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      confirm: (stock, line, command) => decideConfirm({ ...stock, nowMs: stock.nowMs + 1 }, line, command),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/the hold was alive|held and/);
  });

  it("would notice a sale that forgets to ask whether the stock of an expired hold is still there", async () => {
    const limitless = { capacity: Number.MAX_SAFE_INTEGER };
    const fault = await findFault({
      ...INVENTORY_RULES,
      confirm: (stock, line, command) => decideConfirm({ ...stock, config: { ...stock.config, ...limitless } }, line, command),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/more is held and sold than there is/);
  });

  it("would notice a repeat that holds a second time", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      reserve: (stock, _line, userCount, command) => decideReserve(stock, undefined, userCount, command),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/it was held before/);
  });

  it("would notice a hold given back that stays held", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      release: (stock, line, command) => ({ outcome: decideRelease(stock, line, command).outcome }),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/given back/);
  });

  it("would notice stock of a given-back sale that is not put back", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      restock: (...given) => ({ outcome: decideRestock(...given).outcome }),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/to nobody/);
  });

  it("would notice a maximum per user that is not asked for", async () => {
    const fault = await findFault({
      ...INVENTORY_RULES,
      reserve: (stock, line, _userCount, command) => decideReserve(stock, line, 0, command),
    });
    console.log(fault?.message);
    expect(fault?.message).toMatch(/the user has/);
  });
});
