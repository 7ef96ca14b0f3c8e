/**
 * `npm run bench`: how fast the service is beside the bare runtime it runs on, and what an operation costs. The service is
 * the deployed bundle on workerd with storage on disk; docs/benchmarks.md says how to read the figures.
 */
import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../build-bundle.ts";
import { buildBenchBundles, type BenchBundles } from "./bench-bundle.ts";
import { parseBenchOptions, UsageError, type BenchOptions } from "./bench-options.ts";
import { startTargets } from "./bench-targets.ts";
import { measureDisk } from "./disk-latency.ts";
import { measureIssueLatency } from "./issue-latency.ts";
import { formatLongRun, runLong } from "./long-run.ts";
import { measureCounts, measureRounds, type Sample } from "./measure.ts";
import { measureReconcile } from "./measure-reconcile.ts";
import { measureSweep } from "./measure-sweep.ts";
import { measureMint } from "./measure-mint.ts";
import { measureProfiles } from "./measure-profile.ts";
import { formatReport, toFigures, type BenchReport } from "./report.ts";
import { profileStartUp } from "./start-up.ts";
import { readMachineTicks, stolenShare } from "./workerd-usage.ts";

const CONNECTIONS = 32;
const WARM_UP_MS = 750;
const COUNTED = { warmUpMs: 1_000, measureMs: 4_000 };
const GZIP_LIMIT_BYTES = 1024 * 1024;
const RESULTS = join(PROJECT_ROOT, "bench-results.json");

function tell(sample: Sample): void {
  const { operation, round, outcome, rssBytes } = sample;
  const rate = `${Math.round(outcome.perSecond)}/s`.padStart(8);
  const memory = rssBytes === undefined ? "" : `, workerd ${Math.round(rssBytes / 1024 / 1024)} MiB`;
  console.log(`  round ${round}  ${operation.padEnd(16)}${rate}, p99 ${outcome.p99Ms.toFixed(1)} ms${memory}`);
}

/** Memory of the service's runtime after the last load of each round. */
function rssAfterRounds(samples: readonly Sample[], rounds: number): (number | undefined)[] {
  const own = samples.filter((sample) => !sample.operation.startsWith("bare"));
  return Array.from({ length: rounds }, (_, at) => own.findLast((sample) => sample.round === at + 1)?.rssBytes);
}

async function measure(options: BenchOptions, bundles: BenchBundles, directory: string): Promise<BenchReport> {
  const { operations, rounds, seconds } = options;
  const startedAt = new Date().toISOString();
  const [loadAverage = 0] = loadavg();
  console.log("profiling the start-up");
  const startUp = await profileStartUp(directory);
  const timed = await startTargets(bundles, "timed", directory, options);
  const pace = { connections: CONNECTIONS, warmUpMs: WARM_UP_MS, measureMs: seconds * 1000 };
  const disk = measureDisk(directory);
  const ticksBefore = await readMachineTicks();
  let samples: Sample[];
  try {
    console.log(`measuring with ${CONNECTIONS} connections, ${seconds} s each`);
    samples = await measureRounds(operations, rounds, timed, pace, tell);
  } finally {
    await timed.close();
  }
  const stolen = stolenShare(ticksBefore, await readMachineTicks());
  if (timed.errorLines.length > 0) throw new Error(`the service logged errors, the first: ${timed.errorLines[0]}`);
  console.log("counting what an operation costs");
  const counted = await startTargets(bundles, "counted", directory, options);
  let counts: Awaited<ReturnType<typeof measureCounts>>;
  try {
    counts = await measureCounts(operations, counted, { ...COUNTED, connections: CONNECTIONS });
  } finally {
    await counted.close();
  }
  const settles = operations.some(({ name }) => name === "webhooks settled");
  if (settles) console.log("buying at the sandbox provider");
  const issueLatency = settles ? await measureIssueLatency(bundles, join(directory, "issue-latency")) : undefined;
  const { sizeBytes, gzipBytes } = bundles;
  return {
    startedAt,
    seconds,
    rounds,
    connections: CONNECTIONS,
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model.trim() || process.arch}, Node ${process.version}`,
    loadAverage,
    stolenShare: stolen,
    disk,
    figures: toFigures(operations, samples),
    counts: Object.fromEntries(counts),
    issueLatency,
    bundle: { sizeBytes, gzipBytes, withinLimit: gzipBytes < GZIP_LIMIT_BYTES },
    startUp,
    firstAnswerMs: timed.firstAnswerMs,
    rssBytes: rssAfterRounds(samples, rounds),
    samples,
  };
}

async function main(): Promise<void> {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.isMint) return measureMint();
  const directory = await mkdtemp(join(tmpdir(), "edge-tickets-bench-"));
  // Also when it is stopped half-way: Miniflare ends its runtimes when this process exits, and the folder goes with them.
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));
  if (options.isProfile) return measureProfiles(options, CONNECTIONS, directory);
  console.log("building the bundle");
  const bundles = await buildBenchBundles(directory);
  if (options.isLong) {
    const run = await runLong(bundles, directory, options);
    console.log(`\n${formatLongRun(run)}`);
    return;
  }
  if (options.isSweep) return measureSweep(bundles, directory, options);
  if (options.isReconcile) return measureReconcile(bundles.timed, join(directory, "reconcile"));
  const report = await measure(options, bundles, directory);
  await writeFile(RESULTS, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\n${formatReport(report)}\n\nwritten to bench-results.json`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
}
