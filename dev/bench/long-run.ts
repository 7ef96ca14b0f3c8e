import type { BenchBundles } from "./bench-bundle.ts";
import type { BenchOptions } from "./bench-options.ts";
import { startTargets, type RunningTargets } from "./bench-targets.ts";
import { planLoad, type Pace } from "./operations.ts";
import { watchProjectionLag, type ProjectionLag } from "./projection-lag.ts";
import { median } from "./report.ts";
import { runLoad } from "./run-load.ts";
import { runSql } from "./bench-world.ts";
import { waitUntilCalm } from "./workerd-usage.ts";

/** Orders that exist before the sale is measured again. */
const MANY = 100_000;
const ROUNDS = 3;
const CONNECTIONS = 32;
const WARM_UP_MS = 750;
const LONGEST_FILL_MS = 600_000;
const FILL_STEP_MS = 20_000;

/** What a long sale showed; times in milliseconds, rates a second. */
export interface LongRun {
  readonly emptyPerSecond: number;
  readonly fullPerSecond: number;
  readonly ordersBefore: number;
  readonly lag: ProjectionLag;
}

async function countOrders({ world }: RunningTargets): Promise<number> {
  const [row] = await runSql(world, "SELECT COUNT(*) AS count FROM orders WHERE tenant_id = ?1", [world.tenantId]);
  return (row as { count: number }).count; // the statement's one column
}

async function sellFor(targets: RunningTargets, pace: Pace): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await waitUntilCalm(targets.servicePids);
    const outcome = await runLoad(await planLoad("purchases", targets, pace));
    if (outcome.wrong > 0) throw new Error(`a purchase was answered wrongly: ${outcome.firstWrong}`);
    rates.push(outcome.perSecond);
  }
  return median(rates);
}

/** Places orders, watching how far D1 is behind, until there are {@link MANY} or patience ends. */
async function fill(targets: RunningTargets): Promise<ProjectionLag> {
  const endsAtMs = performance.now() + LONGEST_FILL_MS;
  const sell = async (): Promise<void> => {
    let left = MANY - (await countOrders(targets));
    while (left > 0 && performance.now() < endsAtMs) {
      const pace = { connections: CONNECTIONS, warmUpMs: 0, measureMs: FILL_STEP_MS };
      left -= (await runLoad(await planLoad("purchases", targets, pace))).sent;
    }
  };
  return watchProjectionLag(targets.world, sell());
}

/** The long run: minutes, not seconds. Sells on an empty and on a full service. */
export async function runLong(bundles: BenchBundles, directory: string, options: BenchOptions): Promise<LongRun> {
  const targets = await startTargets(bundles, "timed", directory, options);
  const pace = { connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: options.seconds * 1000 };
  try {
    console.log("selling on an empty service");
    const emptyPerSecond = await sellFor(targets, pace);
    console.log(`placing orders until there are ${MANY}`);
    const lag = await fill(targets);
    await waitUntilCalm(targets.servicePids);
    const ordersBefore = await countOrders(targets);
    console.log(`selling with ${ordersBefore} orders in place`);
    const fullPerSecond = await sellFor(targets, pace);
    return { emptyPerSecond, fullPerSecond, ordersBefore, lag };
  } finally {
    await targets.close();
  }
}

/** The long run as people read it. */
export function formatLongRun(run: LongRun): string {
  const { emptyPerSecond, fullPerSecond, ordersBefore, lag } = run;
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  return [
    `purchases     ${emptyPerSecond.toFixed(0)} a second on an empty service, ${fullPerSecond.toFixed(0)} with ${ordersBefore} orders (${(fullPerSecond / emptyPerSecond).toFixed(2)} of it; aim 0.8)`,
    `D1 behind     p50 ${ms(lag.p50Ms)}, p99 ${ms(lag.p99Ms)}, at most ${ms(lag.maxMs)} at full rate (aim: p99 1000 ms)`,
  ].join("\n");
}
