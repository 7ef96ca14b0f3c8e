import { join } from "node:path";
import { generateDevelopmentSecrets } from "../dev-vars.ts";
import { startRuntime } from "../runtime.ts";
import { signDevelopmentToken } from "../sign-development-token.ts";
import { startBareWorker } from "./bare-worker.ts";
import { PAYMENT_ORIGIN, type BenchBundles } from "./bench-bundle.ts";
import type { BenchOptions } from "./bench-options.ts";
import { createBenchWorld, type BenchWorld } from "./bench-world.ts";
import { startRemoteDatabase } from "./remote-database.ts";
import type { Targets } from "./operations.ts";
import { listWorkerdPids } from "./workerd-usage.ts";

/** Both runtimes, side by side; only one is ever under load. */
export interface RunningTargets extends Targets {
  /** Process ids; none where the system does not tell them. */
  readonly barePids: readonly number[];
  /** The service's, and D1's after it where that has a process of its own. */
  readonly servicePids: readonly number[];
  /** From the launch of the service's runtime to its first answer, migrations of an empty D1 included; milliseconds. */
  readonly firstAnswerMs: number;
  /** Lines of level error that the service has logged so far; a run with any is worth nothing. */
  readonly errorLines: readonly string[];
  /** Where the service's runtime can be profiled; undefined unless it was started for that. */
  readonly inspectorUrl: string | undefined;
  /** Another tenant, with nothing sold yet. */
  createWorld(): Promise<BenchWorld>;
  /** A venue manager's token of the benchmark's tenant. */
  signManager(): Promise<string>;
  close(): Promise<void>;
}

/** How the service is run. */
type TargetOptions = Pick<BenchOptions, "desks" | "isOneProcess" | "isProfile">;

/** Starts the bare Worker and the service, each in a runtime of its own, with storage in `directory`. */
export async function startTargets(
  bundles: BenchBundles,
  kind: "timed" | "counted",
  directory: string,
  { desks, isOneProcess, isProfile: hasInspector }: TargetOptions,
): Promise<RunningTargets> {
  const secrets = await generateDevelopmentSecrets();
  const bindings = {
    ...secrets.variables,
    ORDER_DESKS_PER_TENANT: String(desks),
    SANDBOX_PAYMENT_URL: PAYMENT_ORIGIN,
  };
  const errorLines: string[] = [];
  const onLogLine = (line: string): void => {
    if (/"level":"(error|fatal)"/i.test(line)) errorLines.push(line);
  };
  const started: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const runtime of started.toReversed()) await runtime.close();
  };
  try {
    const directoryOf = (name: string): string => join(directory, `${kind}-${name}`);
    const bare = await startBareWorker(directoryOf("bare"));
    started.push(bare);
    const barePids = await listWorkerdPids();
    const database = isOneProcess ? undefined : await startRemoteDatabase(directoryOf("database"));
    if (database) started.push(database);
    const databasePids = (await listWorkerdPids()).filter((pid) => !barePids.includes(pid));
    const launchedAtMs = performance.now();
    const storage = database ? { sharedStorage: database.sharedStorage } : { persistPath: directoryOf("service") };
    const service = await startRuntime({ ...storage, bundle: bundles[kind], bindings, onLogLine, hasInspector });
    started.push(service);
    const live = await fetch(`${service.url}/health/live`);
    if (!live.ok) throw new Error(`the service answered ${live.status}: ${await live.text()}`);
    const firstAnswerMs = performance.now() - launchedAtMs;
    const olderPids = [...barePids, ...databasePids];
    const servicePids = [...(await listWorkerdPids()).filter((pid) => !olderPids.includes(pid)), ...databasePids];
    const createWorld = (): Promise<BenchWorld> => createBenchWorld(service.url, secrets);
    const world = await createWorld();
    const credentialKeys = secrets.variables["CREDENTIAL_SIGNING_KEYS"] ?? "";
    const webhookSecret = secrets.variables["PAYMENT_WEBHOOK_SECRETS"]?.split(",")[0] ?? "";
    const signManager = (): Promise<string> =>
      signDevelopmentToken(secrets, { role: "venue_manager", tenantId: world.tenantId });
    const keys = { credentialKeys, webhookSecret };
    const { inspectorUrl } = service;
    const processes = { barePids, servicePids, firstAnswerMs, errorLines, inspectorUrl };
    return { bareUrl: bare.url, world, ...keys, ...processes, createWorld, signManager, close };
  } catch (error) {
    await close();
    throw error;
  }
}
