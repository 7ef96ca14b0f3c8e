import type { RunningTargets } from "./bench-targets.ts";
import type { LoadOutcome } from "./load-plan.ts";
import { OPERATION_NAMES, planLoad, type Operation, type OperationName, type Pace } from "./operations.ts";
import { countsPerOperation, takeCounts, type Counts } from "./operation-counts.ts";
import { runLoad } from "./run-load.ts";
import { countPaid } from "./webhook-load.ts";
import { readCpuMs, readRssBytes, waitUntilCalm } from "./workerd-usage.ts";

/** One load, and what it did to the runtime under it. */
export interface Sample {
  readonly operation: OperationName;
  readonly round: number;
  readonly outcome: LoadOutcome;
  /** Processor time of the runtime for each operation, what it tells D1 afterwards included; microseconds. */
  readonly cpuMicros: number | undefined;
  /** The same of D1, where it has a process of its own. */
  readonly databaseCpuMicros: number | undefined;
  /** How long the runtime went on telling D1 after the load had ended, milliseconds. */
  readonly backlogMs: number;
  readonly rssBytes: number | undefined;
}

/** @throws when an answer was wrong: a fast refusal must never pass for speed. */
async function measureOnce(name: OperationName, round: number, targets: RunningTargets, pace: Pace): Promise<Sample> {
  const pids = name.startsWith("bare") ? targets.barePids : targets.servicePids;
  const [pid, databasePid] = pids;
  const plan = await planLoad(name, targets, pace);
  await waitUntilCalm(pids);
  const paidBefore = await countPaid(targets.world);
  const cpuBeforeMs = [await readCpuMs(pid), await readCpuMs(databasePid)];
  const outcome = await runLoad(plan);
  if (outcome.wrong > 0) throw new Error(`${name}: ${outcome.wrong} wrong answers, the first: ${outcome.firstWrong}`);
  const backlogMs = await waitUntilCalm(pids);
  const cpuAfterMs = [await readCpuMs(pid), await readCpuMs(databasePid)];
  const paid = (await countPaid(targets.world)) - paidBefore;
  if (name === "webhooks settled" && paid !== outcome.sent) throw new Error(`${paid} of ${outcome.sent} orders were settled`);
  const [cpuMicros, databaseCpuMicros] = cpuAfterMs.map((afterMs, at) => {
    const beforeMs = cpuBeforeMs[at];
    return afterMs === undefined || beforeMs === undefined
      ? undefined
      : ((afterMs - beforeMs) * 1000) / Math.max(1, outcome.sent);
  });
  return { operation: name, round, outcome, cpuMicros, databaseCpuMicros, backlogMs, rssBytes: await readRssBytes(pid) };
}

/**
 * Measures each operation and its ceiling in turn, round after round, so that whatever else the machine does hits all of them. Each
 * round sells for a tenant of its own, so that all begin with nothing sold; a full one is the long run's affair.
 * @param onSample told after each load.
 */
export async function measureRounds(
  operations: readonly Operation[],
  rounds: number,
  targets: RunningTargets,
  pace: Pace,
  onSample: (sample: Sample) => void,
): Promise<Sample[]> {
  const wanted = new Set<OperationName>(operations.flatMap((operation) => [operation.ceiling, operation.name]));
  const samples: Sample[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const roundTargets = round === 1 ? targets : { ...targets, world: await targets.createWorld() };
    for (const name of OPERATION_NAMES) {
      if (!wanted.has(name)) continue;
      const sample = await measureOnce(name, round, roundTargets, pace);
      samples.push(sample);
      onSample(sample);
    }
  }
  return samples;
}

/** What each operation costs once a sale is running, from a run of the counting bundle: what an isolate looks up first is left out. */
export async function measureCounts(
  operations: readonly Operation[],
  targets: RunningTargets,
  pace: Pace,
): Promise<Map<OperationName, Counts>> {
  const counts = new Map<OperationName, Counts>();
  for (const { name } of operations) {
    await runLoad(await planLoad(name, targets, { ...pace, measureMs: pace.warmUpMs, warmUpMs: 0 }));
    const plan = await planLoad(name, targets, { ...pace, warmUpMs: 0 });
    await waitUntilCalm(targets.servicePids);
    await takeCounts(targets.world.serviceUrl);
    const outcome = await runLoad(plan);
    await waitUntilCalm(targets.servicePids);
    counts.set(name, countsPerOperation(await takeCounts(targets.world.serviceUrl), outcome.sent));
  }
  return counts;
}
