import type { BenchBundles } from "./bench-bundle.ts";
import { startTargets, type RunningTargets } from "./bench-targets.ts";
import { createHttpClient } from "../http-client.ts";
import { planLoad, type Pace } from "./operations.ts";
import { watchProjectionLag, type ProjectionLag } from "./projection-lag.ts";
import { median } from "./report.ts";
import { runLoad } from "./run-load.ts";
import { runSql } from "./bench-world.ts";
import { waitUntilCalm } from "./workerd-usage.ts";

/** Orders that exist before the sale is measured again, and holds that run out at once. */
const MANY = 100_000;
const ROUNDS = 3;
const CONNECTIONS = 32;
const FILL_CONNECTIONS = 64;
const WARM_UP_MS = 750;
/** Long enough to make all the holds before the first runs out, on a slow machine too. */
const HOLD_SECONDS = 300;
const LONGEST_FILL_MS = 600_000;
const FILL_STEP_MS = 20_000;

/** What a long sale showed; times in milliseconds, rates a second. */
export interface LongRun {
  readonly emptyPerSecond: number;
  readonly fullPerSecond: number;
  readonly ordersBefore: number;
  readonly lag: ProjectionLag;
  readonly sweep: SweepFigures;
}

/** How long requests waited. */
interface Waits {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Requests answered while {@link MANY} expired holds were swept, and the same requests when all was swept. */
export interface SweepFigures {
  readonly holds: number;
  readonly reads: Waits;
  readonly reservations: Waits;
  readonly sweptAfterMs: number;
  readonly calmReads: Waits;
  readonly calmReservations: Waits;
}

async function countRows(targets: RunningTargets, sql: string, value: string): Promise<number> {
  const [row] = await runSql(targets.world, sql, [value]);
  return (row as { count: number }).count; // both statements below name their one column so
}

const countOrders = (targets: RunningTargets): Promise<number> =>
  countRows(targets, "SELECT COUNT(*) AS count FROM orders WHERE tenant_id = ?1", targets.world.tenantId);

async function sellFor(targets: RunningTargets, pace: Pace): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await waitUntilCalm(targets.servicePid);
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

/** Makes {@link MANY} holds that run out together, and asks for stock and holds while the inventory sweeps them. */
async function measureSweep(targets: RunningTargets): Promise<SweepFigures> {
  const { world } = targets;
  const call = createHttpClient(world.serviceUrl);
  const manager = await targets.signManager();
  const typePath = `/api/v1/tickets/types/${world.heldTypeId}`;
  const setHoldTime = async (seconds: number): Promise<void> => {
    const changed = await call("PUT", typePath, { token: manager, body: { reservationTtlSeconds: seconds } });
    if (changed.status !== 200) throw new Error(`the hold time was not changed: ${changed.status}`);
  };
  const heldCount = async (): Promise<number> => Number((await call("GET", typePath)).body["heldCount"]);
  const startedAtMs = performance.now();
  let held = 0;
  while (held < MANY && performance.now() - startedAtMs < HOLD_SECONDS * 1000) {
    // The hold time shrinks as the clock advances, so that every hold ends at about the same moment.
    await setHoldTime(Math.max(5, Math.round(HOLD_SECONDS - (performance.now() - startedAtMs) / 1000)));
    const pace = { connections: FILL_CONNECTIONS, warmUpMs: 0, measureMs: 1_000 };
    const outcome = await runLoad(await planLoad("reservations", targets, pace));
    if (outcome.wrong > 0) throw new Error(`a hold was answered wrongly: ${outcome.firstWrong}`);
    held = await heldCount();
  }
  await setHoldTime(600);
  const endsAtMs = startedAtMs + (HOLD_SECONDS - 1) * 1000;
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, endsAtMs - performance.now())));
  const [reads, reservations] = await readAndHold(targets);
  await waitUntilCalm(targets.servicePid);
  const sweptAfterMs = performance.now() - endsAtMs;
  const [calmReads, calmReservations] = await readAndHold(targets);
  return { holds: held, reads, reservations, sweptAfterMs, calmReads, calmReservations };
}

async function readAndHold(targets: RunningTargets): Promise<[Waits, Waits]> {
  const pace = { connections: 4, warmUpMs: 0, measureMs: 20_000 };
  const plans = [await planLoad("reads", targets, pace), await planLoad("reservations", targets, pace)] as const;
  return Promise.all([runLoad(plans[0]), runLoad(plans[1])]);
}

/** The long run: minutes, not seconds. Sells on an empty and on a full service, and sweeps many holds under load. */
export async function runLong(bundles: BenchBundles, directory: string, seconds: number, desks: number): Promise<LongRun> {
  const targets = await startTargets(bundles, "timed", directory, desks);
  const pace = { connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: seconds * 1000 };
  try {
    console.log("selling on an empty service");
    const emptyPerSecond = await sellFor(targets, pace);
    console.log(`placing orders until there are ${MANY}`);
    const lag = await fill(targets);
    await waitUntilCalm(targets.servicePid);
    const ordersBefore = await countOrders(targets);
    console.log(`selling with ${ordersBefore} orders in place`);
    const fullPerSecond = await sellFor(targets, pace);
    console.log(`holding ${MANY} tickets until they all expire at once`);
    return { emptyPerSecond, fullPerSecond, ordersBefore, lag, sweep: await measureSweep(targets) };
  } finally {
    await targets.close();
  }
}

/** The long run as people read it. */
export function formatLongRun(run: LongRun): string {
  const { emptyPerSecond, fullPerSecond, ordersBefore, lag, sweep } = run;
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  const waits = ({ p99Ms, maxMs }: Waits): string => `p99 ${ms(p99Ms)}, at most ${ms(maxMs)}`;
  return [
    `purchases     ${emptyPerSecond.toFixed(0)} a second on an empty service, ${fullPerSecond.toFixed(0)} with ${ordersBefore} orders (${(fullPerSecond / emptyPerSecond).toFixed(2)} of it; aim 0.8)`,
    `D1 behind     p50 ${ms(lag.p50Ms)}, p99 ${ms(lag.p99Ms)}, at most ${ms(lag.maxMs)} at full rate (aim: p99 1000 ms)`,
    `sweep         ${sweep.holds} holds expired at once, all told after ${(sweep.sweptAfterMs / 1000).toFixed(0)} s`,
    `  meanwhile   reads ${waits(sweep.reads)}; reservations ${waits(sweep.reservations)} (aim: at most 100 ms)`,
    `  after it    reads ${waits(sweep.calmReads)}; reservations ${waits(sweep.calmReservations)}`,
  ].join("\n");
}
