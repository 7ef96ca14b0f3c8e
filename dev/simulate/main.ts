/**
 * `npm run simulate -- [--seed N] [--ops N]`: runs the real Durable Objects through worlds in which everything goes wrong, and
 * judges all they do. Prints the seed of each world; the same seed replays exactly.
 */
import { parseArgs } from "node:util";
import { runWorld, type WorldReport } from "./simulated-world.ts";
import { SimulationFailure } from "./trace.ts";

/** Operations of one world: what goes wrong in it is seen again by playing that world alone. */
const OPERATIONS_PER_WORLD = 10_000;
const DEFAULT_OPERATIONS = 100_000;
const HIGHEST_SEED = 1_000_000_000;
const USAGE = "usage: npm run simulate -- [--seed N] [--ops N]";

class UsageError extends Error {}

function parseCount(text: string | undefined, name: string, otherwise: number): number {
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new UsageError(`--${name} must be a whole number from 0`);
  return count;
}

function describe(report: WorldReport, perSecond: number): string {
  const { seed, operations, orders, tickets, simulatedMs, traceHash } = report;
  const seconds = Math.round(simulatedMs / 1_000);
  return `seed ${seed}: ${operations} operations, ${orders} orders, ${tickets} tickets in ${seconds} s of its time; trace ${traceHash.slice(0, 16)}; ${perSecond} operations/s`;
}

function addTo(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
}

function list(sums: ReadonlyMap<string, number>): string {
  return [...sums].map(([name, count]) => `${name} ${count}`).join(" · ");
}

async function playWorlds(firstSeed: number, operations: number): Promise<void> {
  const startedMs = performance.now();
  const byKind = new Map<string, number>();
  const happened = new Map<string, number>();
  let done = 0;
  for (let seed = firstSeed; done < operations; seed += 1) {
    const report = await runWorld({ seed, operations: Math.min(OPERATIONS_PER_WORLD, operations) });
    done += report.operations;
    addTo(byKind, report.counts);
    addTo(happened, report.happened);
    console.log(describe(report, Math.round((done * 1_000) / (performance.now() - startedMs))));
  }
  console.log(`\nHappened: ${list(new Map([...happened].toSorted(([one], [other]) => (one < other ? -1 : 1))))}`);
  console.log(
    `\n${done} operations (${list(byKind)}) in ${Math.round((performance.now() - startedMs) / 1_000)} s: nothing is wrong`,
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seed: { type: "string" }, ops: { type: "string" } } });
  const seed = parseCount(values.seed, "seed", Math.floor(Math.random() * HIGHEST_SEED));
  const operations = parseCount(values.ops, "ops", DEFAULT_OPERATIONS);
  try {
    await playWorlds(seed, operations);
    return 0;
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error;
    console.error(error.trace.join("\n"));
    console.error(`\nWRONG in the world of seed ${error.seed}, at operation ${error.operation}: ${error.message}`);
    console.error(`again: npm run simulate -- --seed ${error.seed} --ops ${Math.min(OPERATIONS_PER_WORLD, operations)}`);
    return 1;
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isOptionError = error instanceof TypeError && "code" in error;
  if (!(isOptionError || error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 1;
}
