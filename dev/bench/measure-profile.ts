import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_ROOT } from "../build-bundle.ts";
import { buildBenchBundles, SERVICE_MODULE } from "./bench-bundle.ts";
import type { BenchOptions } from "./bench-options.ts";
import { startTargets } from "./bench-targets.ts";
import { profileWhile } from "./inspector.ts";
import { planLoad, type Pace } from "./operations.ts";
import { formatProfile } from "./profile-table.ts";
import { runLoad } from "./run-load.ts";
import { waitUntilCalm } from "./workerd-usage.ts";

const WARM_UP_MS = 1_500;

/**
 * Profiles operations under load: where the service's isolate spends its time, Durable Objects and deliveries to D1 included. D1's
 * own isolate is not in it, and what the runtime does outside of script counts as `(program)`.
 */
export async function measureProfiles(options: BenchOptions, connections: number, directory: string): Promise<void> {
  const { operations, seconds } = options;
  const bundles = await buildBenchBundles(directory, false);
  const source = await readFile(join(bundles.timed.directory, SERVICE_MODULE), "utf8");
  const targets = await startTargets(bundles, "timed", directory, options);
  const { inspectorUrl, servicePids } = targets;
  if (inspectorUrl === undefined) throw new Error("the runtime has no inspector");
  const load = async (pace: Pace, name: (typeof operations)[number]["name"]) => {
    const plan = await planLoad(name, targets, pace);
    await waitUntilCalm(servicePids);
    return profileWhile(inspectorUrl, async () => {
      const outcome = await runLoad(plan);
      await waitUntilCalm(servicePids);
      return outcome;
    });
  };
  try {
    for (const { name } of operations) {
      await load({ connections, warmUpMs: 0, measureMs: WARM_UP_MS }, name);
      const { profile, value } = await load({ connections, warmUpMs: 0, measureMs: seconds * 1000 }, name);
      if (value.wrong > 0) throw new Error(`${name}: ${value.wrong} wrong answers, the first: ${value.firstWrong}`);
      const file = `bench-${name.replaceAll(" ", "-")}.cpuprofile`;
      await writeFile(join(PROJECT_ROOT, file), JSON.stringify(profile));
      console.log(`\n${name}, ${value.sent} times\n\n${formatProfile(profile, source, value.sent)}\n\nwritten to ${file}`);
    }
  } finally {
    await targets.close();
  }
}
