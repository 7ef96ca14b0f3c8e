import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_ROOT } from "../build-bundle.ts";
import { cpuProfileSchema, selfMsByNode, type CpuProfile } from "./cpu-profile.ts";

/** How the Worker starts, in milliseconds, as sampled in the local runtime while it loads the bundle. */
export interface StartUpProfile {
  /** Time in which the sampler found the isolate at work; Cloudflare allows 1,000 ms on its machines. */
  readonly activeMs: number;
  /** Part of it spent in JavaScript of the bundle, and collecting garbage. */
  readonly scriptMs: number;
  readonly garbageMs: number;
  /** Where the script spent most, function and line of the minified bundle. */
  readonly slowest: readonly { readonly place: string; readonly selfMs: number }[];
}

const SLOWEST = 5;

/**
 * Profiles the start of the bundle through `wrangler check startup`, which samples workerd while it loads the Worker.
 * @param directory where the profile is left.
 */
export async function profileStartUp(directory: string): Promise<StartUpProfile> {
  const outfile = join(directory, "start-up.cpuprofile");
  const wrangler = join(PROJECT_ROOT, "node_modules/wrangler/bin/wrangler.js");
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "true" };
  await promisify(execFile)(process.execPath, [wrangler, "check", "startup", "--outfile", outfile, "--args=--minify"], {
    cwd: PROJECT_ROOT,
    env,
  });
  return summarise(cpuProfileSchema.parse(JSON.parse(await readFile(outfile, "utf8"))));
}

function summarise(profile: CpuProfile): StartUpProfile {
  const selfMsById = selfMsByNode(profile);
  const selfMsByPlace = new Map<string, number>();
  for (const { id, callFrame } of profile.nodes) {
    const { functionName, url, lineNumber } = callFrame;
    const place = url === "" ? functionName : `${functionName || "(module)"} line ${Math.max(0, lineNumber) + 1}`;
    selfMsByPlace.set(place, (selfMsByPlace.get(place) ?? 0) + (selfMsById.get(id) ?? 0));
  }
  const scripts = [...selfMsByPlace].filter(([place]) => !/^\((idle|program|root|garbage collector)\)$/.test(place));
  const sum = (entries: readonly [string, number][]): number => entries.reduce((total, [, ms]) => total + ms, 0);
  const garbageMs = selfMsByPlace.get("(garbage collector)") ?? 0;
  const scriptMs = sum(scripts);
  return {
    activeMs: scriptMs + garbageMs + (selfMsByPlace.get("(program)") ?? 0),
    scriptMs,
    garbageMs,
    slowest: scripts
      .toSorted(([, one], [, other]) => other - one)
      .slice(0, SLOWEST)
      .map(([place, selfMs]) => ({ place, selfMs })),
  };
}
