import { SERVICE_MODULE } from "./bench-bundle.ts";
import { selfMsByNode, type CpuProfile } from "./cpu-profile.ts";
import { SAMPLE_EVERY_MICROS } from "./inspector.ts";
import { formatTable } from "./report.ts";

/** Stands in a profile for no work at all. */
const IDLE = "(idle)";
/** Rows of each table. */
const MOST_FUNCTIONS = 40;
const MOST_FILES = 25;

interface Cost {
  /** Time in the thing itself, and with all that it calls before it returns or awaits. */
  selfMs: number;
  totalMs: number;
}

/**
 * A profile as people read it: by function, by file, and what is not script; microseconds of one operation.
 * @param source the profiled module as text, not minified: its comments say which file a line comes from.
 */
export function formatProfile(profile: CpuProfile, source: string, operations: number): string {
  const fileOf = readFiles(source);
  const functions = new Map<string, Cost>();
  const files = new Map<string, Cost>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfMs = selfMsByNode(profile, 2 * SAMPLE_EVERY_MICROS);
  const visit = (id: number, outer: ReadonlySet<string>): number => {
    const node = nodes.get(id);
    if (!node) return 0;
    const { functionName, url, lineNumber } = node.callFrame;
    const file = url.endsWith(SERVICE_MODULE) ? fileOf(lineNumber) : url || "(runtime)";
    const place = `${functionName || "(anonymous)"}  ${url === "" ? file : `${file}:${lineNumber + 1}`}`;
    const here = new Set([...outer, place, file]);
    const ownMs = functionName === IDLE ? 0 : (selfMs.get(id) ?? 0);
    const totalMs = (node.children ?? []).reduce((sum, child) => sum + visit(child, here), ownMs);
    // In a recursion the outermost call counts for all of them.
    add(functions, place, ownMs, outer.has(place) ? 0 : totalMs);
    add(files, file, ownMs, outer.has(file) ? 0 : totalMs);
    return totalMs;
  };
  const [root] = profile.nodes;
  if (root) visit(root.id, new Set());
  const table = (title: string, costs: ReadonlyMap<string, Cost>, by: keyof Cost, most: number): string =>
    formatTable(
      [title, "self us", "total us"],
      [...costs]
        .toSorted(([, one], [, other]) => other[by] - one[by])
        .slice(0, most)
        .map(([name, cost]) => [name, inMicros(cost.selfMs, operations), inMicros(cost.totalMs, operations)]),
    );
  return [
    table("file, by what it does itself", files, "selfMs", MOST_FILES),
    table("function, by what it does itself", functions, "selfMs", MOST_FUNCTIONS),
    table("function, by all that it calls", functions, "totalMs", MOST_FUNCTIONS),
  ].join("\n\n");
}

function add(costs: Map<string, Cost>, name: string, selfMs: number, totalMs: number): void {
  const cost = costs.get(name) ?? { selfMs: 0, totalMs: 0 };
  costs.set(name, { selfMs: cost.selfMs + selfMs, totalMs: cost.totalMs + totalMs });
}

function inMicros(ms: number, operations: number): string {
  return ((ms * 1000) / Math.max(1, operations)).toFixed(1);
}

/** Which file each line of a bundle comes from: esbuild writes the file's path above what it took from it. */
function readFiles(source: string): (lineNumber: number) => string {
  let current = "(bundle)";
  const files = source.split("\n").map((line) => {
    const [, path] = /^\/\/ ((?:src|durable-objects|node_modules|migrations)\/\S+)$/.exec(line) ?? [];
    current = path ?? current;
    return current;
  });
  return (lineNumber) => files[lineNumber] ?? "(bundle)";
}
