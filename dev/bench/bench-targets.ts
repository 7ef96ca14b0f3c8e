import { join } from "node:path";
import { generateDevelopmentSecrets } from "../dev-vars.ts";
import { startRuntime } from "../runtime.ts";
import { signDevelopmentToken } from "../sign-development-token.ts";
import { startBareWorker } from "./bare-worker.ts";
import { PAYMENT_ORIGIN, type BenchBundles } from "./bench-bundle.ts";
import { createBenchWorld } from "./bench-world.ts";
import type { Targets } from "./operations.ts";
import { listWorkerdPids } from "./workerd-usage.ts";

/** Both runtimes, side by side; only one is ever under load. */
export interface RunningTargets extends Targets {
  /** Process ids; undefined where the system does not tell them. */
  readonly barePid: number | undefined;
  readonly servicePid: number | undefined;
  /** From the launch of the service's runtime to its first answer, migrations of an empty D1 included; milliseconds. */
  readonly firstAnswerMs: number;
  /** Lines of level error that the service has logged so far; a run with any is worth nothing. */
  readonly errorLines: readonly string[];
  /** Where the service's runtime can be profiled; undefined unless it was started for that. */
  readonly inspectorUrl: string | undefined;
  /** A venue manager's token of the benchmark's tenant. */
  signManager(): Promise<string>;
  close(): Promise<void>;
}

/** Starts the bare Worker and the service, each in a runtime of its own, with storage in `directory`. */
export async function startTargets(
  bundles: BenchBundles,
  kind: "timed" | "counted",
  directory: string,
  desks: number,
  hasInspector = false,
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
  const bare = await startBareWorker(join(directory, `${kind}-bare`));
  const [barePid] = await listWorkerdPids();
  const launchedAtMs = performance.now();
  const persistPath = join(directory, `${kind}-service`);
  const service = await startRuntime({ persistPath, bundle: bundles[kind], bindings, onLogLine, hasInspector }).catch(
    async (error: unknown) => {
      await bare.close();
      throw error;
    },
  );
  const close = async (): Promise<void> => {
    await service.close();
    await bare.close();
  };
  try {
    const live = await fetch(`${service.url}/health/live`);
    if (!live.ok) throw new Error(`the service answered ${live.status}: ${await live.text()}`);
    const firstAnswerMs = performance.now() - launchedAtMs;
    const servicePid = (await listWorkerdPids()).find((pid) => pid !== barePid);
    const world = await createBenchWorld(service.url, secrets);
    const credentialKeys = secrets.variables["CREDENTIAL_SIGNING_KEYS"] ?? "";
    const webhookSecret = secrets.variables["PAYMENT_WEBHOOK_SECRETS"]?.split(",")[0] ?? "";
    const signManager = (): Promise<string> =>
      signDevelopmentToken(secrets, { role: "venue_manager", tenantId: world.tenantId });
    const keys = { credentialKeys, webhookSecret };
    const { inspectorUrl } = service;
    const processes = { barePid, servicePid, firstAnswerMs, errorLines, inspectorUrl };
    return { bareUrl: bare.url, world, ...keys, ...processes, signManager, close };
  } catch (error) {
    await close();
    throw error;
  }
}
