import type { DiskLatency } from "./disk-latency.ts";
import type { IssueLatency } from "./issue-latency.ts";
import type { Sample } from "./measure.ts";
import type { Counts } from "./operation-counts.ts";
import type { Operation, OperationName } from "./operations.ts";
import type { StartUpProfile } from "./start-up.ts";

/** Everything the benchmark found; also what `bench-results.json` holds. */
export interface BenchReport {
  readonly startedAt: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly machine: string;
  readonly loadAverage: number;
  /** Share of processor time that the host gave to other machines meanwhile; undefined where it is not known. */
  readonly stolenShare: number | undefined;
  /** Measured right before the first round. */
  readonly disk: DiskLatency;
  readonly figures: readonly Figure[];
  readonly counts: Readonly<Partial<Record<OperationName, Counts>>>;
  /** Undefined when no webhooks were measured. */
  readonly issueLatency: IssueLatency | undefined;
  readonly bundle: { readonly sizeBytes: number; readonly gzipBytes: number; readonly withinLimit: boolean };
  readonly startUp: StartUpProfile;
  readonly firstAnswerMs: number;
  readonly rssBytes: readonly (number | undefined)[];
  readonly samples: readonly Sample[];
}

/** An operation beside its ceiling; medians over the rounds. */
export interface Figure {
  readonly name: OperationName;
  readonly does: string;
  readonly perSecond: number;
  readonly ceiling: OperationName;
  readonly ceilingPerSecond: number;
  /** Median of the ratios of each round, not ratio of the medians: neighbours in time share the machine's moods. */
  readonly ratio: number;
  readonly aimedRatio: number | undefined;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number | undefined;
  readonly ceilingCpuMicros: number | undefined;
  readonly databaseCpuMicros: number | undefined;
  readonly backlogMs: number;
  /** Share of its core that the load client used, 0 to 1: near 1, the client would be what is measured. */
  readonly clientShare: number;
}

/** The middle value; of two in the middle, the lower. 0 for none. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)] ?? 0;
}

/** The value that this share of all is at or below; 0 for none. */
export function quantile(sorted: readonly number[] | Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Sets each operation beside its ceiling. */
export function toFigures(operations: readonly Operation[], samples: readonly Sample[]): Figure[] {
  return operations.map(({ name, ceiling, aimedRatio, does }) => {
    const own = samples.filter((sample) => sample.operation === name);
    const bare = samples.filter((sample) => sample.operation === ceiling);
    const medianOf = (from: readonly Sample[], pick: (sample: Sample) => number): number => median(from.map(pick));
    const medianCpu = (from: readonly Sample[], process: "cpuMicros" | "databaseCpuMicros"): number | undefined =>
      from.some((sample) => sample[process] === undefined) ? undefined : medianOf(from, (sample) => sample[process] ?? 0);
    const ratios = own.map((sample, at) => sample.outcome.perSecond / (bare[at]?.outcome.perSecond ?? Number.NaN));
    return {
      name,
      does,
      perSecond: medianOf(own, (sample) => sample.outcome.perSecond),
      ceiling,
      ceilingPerSecond: medianOf(bare, (sample) => sample.outcome.perSecond),
      ratio: median(ratios),
      aimedRatio,
      p50Ms: medianOf(own, (sample) => sample.outcome.p50Ms),
      p99Ms: medianOf(own, (sample) => sample.outcome.p99Ms),
      cpuMicros: medianCpu(own, "cpuMicros"),
      ceilingCpuMicros: medianCpu(bare, "cpuMicros"),
      databaseCpuMicros: medianCpu(own, "databaseCpuMicros"),
      backlogMs: medianOf(own, (sample) => sample.backlogMs),
      clientShare: medianOf(own, (sample) => sample.outcome.clientShare),
    };
  });
}

/** A column of figures is right-aligned; the first column holds names. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const format = (line: readonly string[]): string =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  return [format(header), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(format)].join("\n");
}

/** Above this, pauses of the machine itself are longer than what is measured. */
const TOO_MUCH_STOLEN = 0.1;
const MEBIBYTE = 1024 * 1024;
const round = (value: number | undefined, digits = 0): string => (value === undefined ? "?" : value.toFixed(digits));

/** The report as people read it. */
export function formatReport(report: BenchReport): string {
  const { bundle, startUp, firstAnswerMs, rssBytes, disk } = report;
  const rss = rssBytes.map((bytes) => (bytes === undefined ? "?" : round(bytes / MEBIBYTE)));
  return [
    formatFigures(report.figures),
    "",
    formatCounts(report.counts),
    "",
    ...formatIssueLatency(report.issueLatency),
    `bundle     ${round(bundle.sizeBytes / 1024)} KiB minified, ${round(bundle.gzipBytes / 1024)} KiB gzip${bundle.withinLimit ? "" : ": OVER 1 MiB"}`,
    `start-up   ${round(startUp.activeMs)} ms at work while loading: ${round(startUp.scriptMs)} ms script, ${round(startUp.garbageMs)} ms garbage, the rest compiling; first answer ${round(firstAnswerMs)} ms after launch of the runtime`,
    ...startUp.slowest.map(({ place, selfMs }) => `           ${round(selfMs, 1).padStart(5)} ms ${place}`),
    `memory     workerd holds ${rss.at(-1)} MiB at the end; after each round: ${rss.join(", ")}`,
    `disk       keeps a page of 4 KiB for good in p50 ${round(disk.p50Ms, 2)} ms, p99 ${round(disk.p99Ms, 2)} ms`,
    `machine    ${report.machine}, load ${round(report.loadAverage, 1)} before; ${formatStolen(report.stolenShare)}`,
  ].join("\n");
}

function formatIssueLatency(latency: IssueLatency | undefined): string[] {
  if (latency === undefined) return [];
  const { orders, p50Ms, p99Ms } = latency;
  return [
    `issued     p50 ${round(p50Ms, 1)} ms, p99 ${round(p99Ms, 1)} ms from purchase to ticket, paid at once at the sandbox provider (${orders} orders, 4 buyers at once)`,
  ];
}

function formatStolen(share: number | undefined): string {
  if (share === undefined) return "its host's share is not known";
  return `its host took ${round(share * 100)} % of its processor time${share > TOO_MUCH_STOLEN ? ": rates and p99 say little" : ""}`;
}

function formatFigures(figures: readonly Figure[]): string {
  return formatTable(
    [
      "operation",
      "per s",
      "ceiling",
      "per s",
      "ratio",
      "aim",
      "p50 ms",
      "p99 ms",
      "CPU us",
      "ceiling",
      "of D1",
      "backlog s",
      "client",
    ],
    figures.map((figure) => [
      figure.name,
      round(figure.perSecond),
      figure.ceiling,
      round(figure.ceilingPerSecond),
      round(figure.ratio, 2),
      figure.aimedRatio === undefined ? "" : round(figure.aimedRatio, 1),
      round(figure.p50Ms, 1),
      round(figure.p99Ms, 1),
      round(figure.cpuMicros),
      round(figure.ceilingCpuMicros),
      round(figure.databaseCpuMicros),
      round(figure.backlogMs / 1000, 1),
      `${round(figure.clientShare * 100)} %`,
    ]),
  );
}

function formatCounts(counts: BenchReport["counts"]): string {
  const byObject = (record: Readonly<Record<string, number>>): string =>
    Object.entries(record)
      .map(([name, count]) => `${name} ${round(count, 2)}`)
      .join(", ") || "none";
  return formatTable(
    ["each", "object calls", "commits", "object rows", "alarms set", "D1 trips", "D1 rows"],
    Object.entries(counts).map(([name, count]) => [
      name,
      byObject(count.objectCalls),
      byObject(count.objectCommits),
      byObject(count.objectRows),
      round(count.alarmsSet, 3),
      round(count.d1RoundTrips, 3),
      round(count.d1Rows, 1),
    ]),
  );
}
