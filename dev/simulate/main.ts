/**
 * `npm run simulate -- [--seed N] [--ops N]`: runs the real Durable Objects through worlds in which everything goes wrong, and
 * judges all they do. Prints the seed; the same seed replays exactly.
 */
import { parseArgs } from "node:util";
import { runWorld } from "./simulated-world.ts";
import type { OperationKind } from "./surroundings.ts";
import { SimulationFailure } from "./trace.ts";

/** Operations of one world: a failure is replayed by running that world alone. */
const OPERATIONS_PER_WORLD = 10_000;
const DEFAULT_OPERATIONS = 100_000;

const { values } = parseArgs({ options: { seed: { type: "string" }, ops: { type: "string" } } });

function parseCount(text: string | undefined, name: string, otherwise: number): number {
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isSafeInteger(count) || count < 0) throw new Error(`--${name} must be a whole number from 0`);
  return count;
}

async function main(): Promise<number> {
  const seed = parseCount(values.seed, "seed", Math.floor(Math.random() * 1_000_000_000));
  const operations = parseCount(values.ops, "ops", DEFAULT_OPERATIONS);
  const startedMs = performance.now();
  const counts = new Map<string, number>();
  const happened = new Map<string, number>();
  let done = 0;
  for (let world = 0; done < operations; world += 1) {
    const report = await runWorld({ seed: seed + world, operations: Math.min(OPERATIONS_PER_WORLD, operations) });
    done += report.operations;
    for (const kind of Object.keys(report.counts) as OperationKind[]) counts.set(kind, (counts.get(kind) ?? 0) + report.counts[kind]);
    for (const [what, count] of Object.entries(report.happened)) happened.set(what, (happened.get(what) ?? 0) + count);
    const rate = Math.round(done / ((performance.now() - startedMs) / 1_000));
    console.log(`seed ${report.seed}: ${report.operations} operations, ${report.orders} orders, ${report.tickets} tickets, ${Math.round(report.simulatedMs / 1_000)} s, trace ${report.traceHash.slice(0, 16)} (${rate} operations a second)`);
  }
  for (const [what, count] of [...happened].toSorted(([one], [other]) => one.localeCompare(other))) console.log(`${what}: ${count}`);
  console.log(`${done} operations: ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SimulationFailure)) throw error;
  console.error([...error.trace, "", `seed ${error.seed}, operation ${error.operation}: ${error.message}`].join("\n"));
  console.error(`replay: npm run simulate -- --seed ${error.seed} --ops ${OPERATIONS_PER_WORLD}`);
  process.exitCode = 1;
}
