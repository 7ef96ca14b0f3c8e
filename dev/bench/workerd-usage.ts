import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";

/** Linux tells memory and processor time of a process in /proc; elsewhere neither is known. */
const PROC = "/proc";
const TICK_MS = 10;
const CALM_WINDOW_MS = 250;
/** Processor time that an idle runtime with its timers uses in a window, at most. */
const CALM_USAGE_MS = 20;
const CALM_WINDOWS = 2;
const LONGEST_WAIT_MS = 60_000;
const BLIND_WAIT_MS = 3_000;

/** Process ids of the runtimes that this process has started; empty where the system does not tell. */
export async function listWorkerdPids(): Promise<number[]> {
  if (!existsSync(PROC)) return [];
  const pids = (await readdir(PROC)).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readStat(Number(pid))));
  return stats.flatMap((stat) =>
    stat?.name.startsWith("workerd") === true && stat.parentPid === process.pid ? [stat.pid] : [],
  );
}

interface Stat {
  readonly pid: number;
  readonly name: string;
  readonly parentPid: number;
  /** User and system time together. */
  readonly cpuMs: number;
}

/** Reads proc(5), stat: fields are counted from after the name, which may hold blanks. */
async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`${PROC}/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [parentPid, userTicks, systemTicks] = [fields[1], fields[11], fields[12]].map(Number);
  return { pid, name, parentPid: parentPid ?? 0, cpuMs: ((userTicks ?? 0) + (systemTicks ?? 0)) * TICK_MS };
}

/** Processor time the process has used so far, in milliseconds; undefined where it is not known. */
export async function readCpuMs(pid: number | undefined): Promise<number | undefined> {
  return pid === undefined ? undefined : (await readStat(pid))?.cpuMs;
}

/** Memory that the process holds (VmRSS), in bytes; undefined where it is not known. */
export async function readRssBytes(pid: number | undefined): Promise<number | undefined> {
  const text = pid === undefined ? "" : await readFile(`${PROC}/${pid}/status`, "utf8").catch(() => "");
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** What several processes have used together; undefined where it is not known. */
async function readSumOfCpuMs(pids: readonly number[]): Promise<number | undefined> {
  const times = await Promise.all(pids.map((pid) => readCpuMs(pid)));
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, time) => sum + time, 0);
}

/**
 * Waits until the runtime has told D1 all it has to tell and its processes stand still, so that no round works off another's leftovers.
 * @returns how long they were busy after the load had ended, in milliseconds.
 */
export async function waitUntilCalm(pids: readonly number[]): Promise<number> {
  const startedAtMs = performance.now();
  let before = await readSumOfCpuMs(pids);
  if (before === undefined) {
    await wait(BLIND_WAIT_MS);
    return 0;
  }
  for (let calm = 0; performance.now() - startedAtMs < LONGEST_WAIT_MS;) {
    await wait(CALM_WINDOW_MS);
    const after: number = (await readSumOfCpuMs(pids)) ?? before;
    calm = after - before <= CALM_USAGE_MS ? calm + 1 : 0;
    before = after;
    if (calm === CALM_WINDOWS) break;
  }
  return Math.max(0, performance.now() - startedAtMs - CALM_WINDOWS * CALM_WINDOW_MS);
}

/** Processor time of the whole machine so far, in ticks. */
export interface MachineTicks {
  readonly all: number;
  /** Time this machine wanted to run and its host ran another in its place. */
  readonly stolen: number;
}

/** Reads proc(5), stat; undefined where it is not known. */
export async function readMachineTicks(): Promise<MachineTicks | undefined> {
  const text = await readFile(`${PROC}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time after them is part of user
  const ticks = (text.split("\n")[0] ?? "").trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: ticks.reduce((sum, count) => sum + count, 0), stolen: ticks[7] ?? 0 };
}

/** Share of the machine's processor time that its host gave to others between two readings, 0 to 1. */
export function stolenShare(before: MachineTicks | undefined, after: MachineTicks | undefined): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  return (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
}
