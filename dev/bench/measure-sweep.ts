import { setTimeout as wait } from "node:timers/promises";
import type { BenchBundles } from "./bench-bundle.ts";
import type { BenchOptions } from "./bench-options.ts";
import { startTargets, type RunningTargets } from "./bench-targets.ts";
import { runSql } from "./bench-world.ts";
import { watchDisk, type TimedPage } from "./disk-latency.ts";
import type { TimedRequest } from "./load-plan.ts";
import { makeHolds } from "./make-holds.ts";
import { planLoad, type OperationName } from "./operations.ts";
import { formatTable, quantile } from "./report.ts";
import { runLoad } from "./run-load.ts";
import { readCpuMs, readMachineTicks, stolenShare, waitUntilCalm } from "./workerd-usage.ts";

const HOLDS = 100_000;
/** Long enough to make all the holds and tell D1 of them before they run out, on a slow machine too. */
const HOLD_MS = 75_000;
/** Each kind of request is measured so long, as fast as it is answered, to know what is sustained. */
const FULL_SPEED = { connections: 32, warmUpMs: 750, measureMs: 3_000 };
/** More than are ever under way: what finds none free waits, and its wait counts. */
const CONNECTIONS = 64;
const WINDOW_MS = 10_000;
const WINDOWS_BEFORE = 2;
const WINDOWS_AFTER_EXPIRY = 14;
const LOOK_EVERY_MS = 250;
/** The requests, as many of each. */
const KINDS = ["reads", "reservations"] as const satisfies readonly OperationName[];

const FIND_UNTOLD = "SELECT 1 FROM reservations WHERE status = 'ACTIVE' AND expires_at_ms <= ?1 LIMIT 1";

/** What the machine did in a part of the run. */
interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Share of its one thread that the service was at work, 0 to 1; undefined where it is not known. */
  readonly busyShare: number | undefined;
  readonly stolen: number | undefined;
}

async function measureFullSpeed(targets: RunningTargets, kind: (typeof KINDS)[number]): Promise<number> {
  await waitUntilCalm(targets.servicePids);
  const outcome = await runLoad(await planLoad(kind, targets, FULL_SPEED));
  if (outcome.wrong > 0) throw new Error(`${kind} were answered wrongly: ${outcome.firstWrong}`);
  return outcome.perSecond;
}

/** Requests of each kind a second that are `load`, 0 to 1, of an even mix at full speed. */
async function chooseRate(targets: RunningTargets, load: number): Promise<number> {
  let secondsForOneOfEach = 0;
  for (const kind of KINDS) secondsForOneOfEach += 1 / (await measureFullSpeed(targets, kind));
  return Math.round(load / secondsForOneOfEach);
}

async function runSteadyLoad(
  targets: RunningTargets,
  kind: (typeof KINDS)[number],
  perSecond: number,
  measureMs: number,
): Promise<readonly TimedRequest[]> {
  const pace = { connections: CONNECTIONS, warmUpMs: 0, measureMs };
  const outcome = await runLoad({ ...(await planLoad(kind, targets, pace)), perSecond });
  if (outcome.wrong > 0) throw new Error(`${kind} were answered wrongly: ${outcome.firstWrong}`);
  return outcome.timed ?? [];
}

/** Watches the service and its machine for so many windows. */
async function watchWindows(pid: number | undefined, fromMs: number, count: number): Promise<Window[]> {
  const windows: Window[] = [];
  let cpuMs = await readCpuMs(pid);
  let ticks = await readMachineTicks();
  for (let number = 0; number < count; number += 1) {
    const toMs = fromMs + (number + 1) * WINDOW_MS;
    await wait(Math.max(0, toMs - Date.now()));
    const cpuAfterMs = await readCpuMs(pid);
    const ticksAfter = await readMachineTicks();
    const busyShare = cpuMs === undefined || cpuAfterMs === undefined ? undefined : (cpuAfterMs - cpuMs) / WINDOW_MS;
    windows.push({ fromMs: toMs - WINDOW_MS, toMs, busyShare, stolen: stolenShare(ticks, ticksAfter) });
    cpuMs = cpuAfterMs;
    ticks = ticksAfter;
  }
  return windows;
}

/** How long after `expiredAtMs` D1 showed every one of the holds as expired; undefined when not before `endMs`. */
async function watchSweep(targets: RunningTargets, expiredAtMs: number, endMs: number): Promise<number | undefined> {
  await wait(Math.max(0, expiredAtMs - Date.now()));
  // A hold made a moment after its time was reckoned ends as much later; those of the load end minutes later.
  const latestMs = expiredAtMs + WINDOW_MS;
  while (Date.now() < endMs) {
    if ((await runSql(targets.world, FIND_UNTOLD, [latestMs])).length === 0) return Date.now() - expiredAtMs;
    await wait(LOOK_EVERY_MS);
  }
  return undefined;
}

/** One line of the table for each window and kind of request. */
function formatWindows(
  windows: readonly Window[],
  timed: readonly (readonly TimedRequest[])[],
  pages: readonly TimedPage[],
  expiredAtMs: number,
  toldAtMs: number,
): string {
  const phaseOf = ({ fromMs, toMs }: Window): string => {
    if (toMs <= expiredAtMs) return "before";
    return fromMs < toldAtMs ? "sweep" : "after";
  };
  const percent = (share: number | undefined): string => (share === undefined ? "?" : `${(share * 100).toFixed(0)} %`);
  const rows = windows.flatMap((window) => {
    const slowestPageMs = Math.max(
      0,
      ...pages.filter(({ atMs }) => atMs >= window.fromMs && atMs < window.toMs).map(({ tookMs }) => tookMs),
    );
    return KINDS.map((kind, position) => {
      const isWithin = ({ dueAtMs }: TimedRequest): boolean => dueAtMs >= window.fromMs && dueAtMs < window.toMs;
      const waits = (timed[position] ?? []).filter(isWithin).map(({ waitedMs }) => waitedMs);
      const sorted = waits.toSorted((one, other) => one - other);
      const countOver = (ms: number): string => String(sorted.filter((waitedMs) => waitedMs > ms).length);
      return [
        phaseOf(window),
        ((window.fromMs - expiredAtMs) / 1000).toFixed(0),
        kind,
        String(sorted.length),
        ...[quantile(sorted, 0.5), quantile(sorted, 0.99), quantile(sorted, 0.999), sorted.at(-1) ?? 0].map((ms) =>
          ms.toFixed(1),
        ),
        countOver(50),
        countOver(100),
        percent(window.busyShare),
        percent(window.stolen),
        slowestPageMs.toFixed(0),
      ];
    });
  });
  const header = ["", "from s", "kind", "sent", "p50 ms", "p99", "p99.9", "most", "> 50", "> 100", "busy", "stolen", "disk ms"];
  return formatTable(header, rows);
}

/**
 * Prints how long requests wait before, while and after 100,000 holds that ran out together are swept. Requests come at a steady
 * rate and are timed from when they were due.
 */
export async function measureSweep(bundles: BenchBundles, directory: string, options: BenchOptions): Promise<void> {
  const targets = await startTargets(bundles, "timed", directory, options);
  const { world, servicePids } = targets;
  try {
    const perSecond = await chooseRate(targets, options.sweepLoad);
    console.log(`holding ${HOLDS} tickets until they all expire at once`);
    const expiredAtMs = Date.now() + HOLD_MS;
    await makeHolds(world, HOLDS, expiredAtMs);
    await waitUntilCalm(servicePids);
    const fromMs = expiredAtMs - WINDOWS_BEFORE * WINDOW_MS;
    console.log(`D1 knows them ${((expiredAtMs - Date.now()) / 1000).toFixed(0)} s before`);
    if (Date.now() > fromMs)
      throw new Error(`D1 was not told of ${HOLDS} holds in ${HOLD_MS / 1000} s: they run out too early`);
    await wait(fromMs - Date.now());
    console.log(`${perSecond} reads and ${perSecond} reservations a second, ${options.sweepLoad} of what is sustained`);
    const windowCount = WINDOWS_BEFORE + WINDOWS_AFTER_EXPIRY;
    const measureMs = windowCount * WINDOW_MS;
    const [windows, toldAfterMs, pages, ...timed] = await Promise.all([
      watchWindows(servicePids[0], fromMs, windowCount),
      watchSweep(targets, expiredAtMs, fromMs + measureMs),
      watchDisk(directory, fromMs + measureMs),
      ...KINDS.map((kind) => runSteadyLoad(targets, kind, perSecond, measureMs)),
    ]);
    const toldAtMs = toldAfterMs === undefined ? Number.POSITIVE_INFINITY : expiredAtMs + toldAfterMs;
    console.log(`\n${formatWindows(windows, timed, pages, expiredAtMs, toldAtMs)}`);
    const told = toldAfterMs === undefined ? "not all told yet" : `D1 had them all after ${(toldAfterMs / 1000).toFixed(1)} s`;
    console.log(`\n${HOLDS} holds expired at once: ${told}`);
  } finally {
    await targets.close();
  }
}
