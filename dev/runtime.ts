import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  MiniflareCoreError,
  type MiniflareOptions,
  type V4WorkerOptions,
} from "miniflare";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { applyMigrations } from "./apply-migrations.ts";
import { buildBundle, type Bundle } from "./build-bundle.ts";
import { buildRateLimitEntry } from "./rate-limit-entry.ts";
import { readWorkerOptions } from "./read-worker-options.ts";

/** How the service is started. */
export interface RuntimeOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: string;
  /** Folder that keeps D1 and Durable Objects over a restart; left out, everything is in a temporary folder and lost. */
  readonly persistPath?: string;
  /** In place of `persistPath`, when another process keeps D1. */
  readonly sharedStorage?: SharedStorage;
  /** Variables and secrets of the service, by name. */
  readonly bindings: Readonly<Record<string, string>>;
  /** A bundle built before; left out, it is built now. Whoever gives one also removes its folder. */
  readonly bundle?: Bundle;
  /** Gets each line the service logs (one JSON object a line). Left out, lines go to standard output. */
  readonly onLogLine?: (line: string) => void;
  /** Called when workerd died and did not start again. Left out, Miniflare's error goes to standard error alone. */
  readonly onLost?: (error: Error) => void;
  /** Lets {@link Runtime.inspectorUrl} say where the runtime can be profiled. */
  readonly hasInspector?: boolean;
}

/** The running service. */
export interface Runtime {
  /** Without a slash at its end. */
  readonly url: string;
  /** Where V8's inspector listens; undefined without one. */
  readonly inspectorUrl: string | undefined;
  /** Runs the cron handler once, as the platform does each minute. */
  runScheduled(): Promise<void>;
  /** Stops the service. State under `persistPath` stays. */
  close(): Promise<void>;
}

/** Folders of a runtime that shares D1 with others: the first one started keeps it, the others call that one over a socket. */
export interface SharedStorage {
  /** The same for all, like `registryPath`, where they find each other. */
  readonly sharedPath: string;
  readonly registryPath: string;
  /** Of this runtime alone: Durable Objects and queues. */
  readonly ownPath: string;
}

/** The part of Miniflare's options that says where state is. */
export function storageOptions({ sharedPath, registryPath, ownPath }: SharedStorage): Partial<MiniflareOptions> {
  return {
    unsafeEnableSharedStorage: true,
    enableDevRegistry: true,
    unsafeDevRegistryPath: registryPath,
    resourcePersistencePath: sharedPath,
    isolatedResourcePersistencePath: ownPath,
  };
}

const CRON_PERIOD_MS = 60_000;

/** Says when Miniflare has given its runtime up, of which it tells nobody else. It starts one again that died by itself. */
class RuntimeLog extends Log {
  readonly #onLost: RuntimeOptions["onLost"];

  constructor(onLost: RuntimeOptions["onLost"]) {
    super(LogLevel.ERROR);
    this.#onLost = onLost;
  }

  override error(error: Error): void {
    super.error(error);
    if (error instanceof MiniflareCoreError && error.code === "ERR_RUNTIME_FAILURE") this.#onLost?.(error);
  }
}

function workerOptions(bundle: Bundle, options: RuntimeOptions): V4WorkerOptions {
  const { modulesRules: _rules, ratelimits: _limits, ...rest } = readWorkerOptions();
  const entry = { type: "ESModule", path: join(bundle.directory, "entry.js"), contents: buildRateLimitEntry() } as const;
  return {
    ...rest,
    name: "edge-tickets",
    modulesRoot: bundle.directory,
    modules: [entry, ...bundle.modules.map(({ type, name }) => ({ type, path: join(bundle.directory, name) }))],
    bindings: { ...options.bindings },
    // Straight to the Worker, past Miniflare's own entry Worker, which costs more than the service does.
    unsafeDirectSockets: [{ host: options.host ?? "127.0.0.1", port: options.port ?? 0 }],
  };
}

/**
 * Starts the service on the bare runtime (workerd): real D1, Durable Objects with their alarms, and queues, the minified
 * bundle, and migrations applied before the first request. Calls the cron handler each minute, which workerd on
 * its own does not.
 * @throws when the bundle does not build, the port is taken or a migration fails.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  const bundle = options.bundle ?? (await buildBundle());
  const { onLogLine, onLost, hasInspector = false, sharedStorage } = options;
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      ...workerOptions(bundle, options),
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new RuntimeLog(onLost),
      telemetry: { enabled: false },
      ...(hasInspector ? { inspectorPort: 0 } : {}),
      ...(onLogLine === undefined ? {} : { handleStructuredLogs: ({ message }) => onLogLine(message) }),
      // The only option that keeps state: Miniflare 5 ignores the older ones without a word.
      ...(options.persistPath === undefined ? {} : { resourcePersistencePath: options.persistPath }),
    }),
    ...(sharedStorage === undefined ? {} : storageOptions(sharedStorage)),
  });
  const close = async (): Promise<void> => {
    clearInterval(cron);
    await miniflare.dispose();
    if (options.bundle === undefined) await rm(bundle.directory, { recursive: true, force: true });
  };
  const runScheduled = async (): Promise<void> => {
    const worker = await miniflare.getWorker();
    await worker.scheduled({ cron: "* * * * *" });
  };
  const cron = setInterval(() => void runScheduled().catch(() => undefined), CRON_PERIOD_MS);
  try {
    await miniflare.ready;
    await applyMigrations(await miniflare.getD1Database("DB"));
    const address = await miniflare.unsafeGetDirectURL();
    const inspectorUrl = hasInspector ? (await miniflare.getInspectorURL()).href : undefined;
    return { url: address.origin, inspectorUrl, runScheduled, close };
  } catch (error) {
    await close();
    throw error;
  }
}
