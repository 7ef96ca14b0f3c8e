import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { join } from "node:path";
import { readWorkerOptions } from "../read-worker-options.ts";
import { storageOptions, type SharedStorage } from "../runtime.ts";

/** A runtime that does nothing but keep D1 for another one. */
export interface RemoteDatabase {
  /** What the other one is started with. */
  readonly sharedStorage: SharedStorage;
  close(): Promise<void>;
}

const SOURCE = "export default { fetch: () => new Response(null, { status: 404 }) };";

/**
 * Starts D1 in a process of its own. On Cloudflare it is no work of the machine that sells either: the objects tell it over a
 * network, and what it takes to write is not taken from them.
 */
export async function startRemoteDatabase(directory: string): Promise<RemoteDatabase> {
  const storage = { sharedPath: join(directory, "database"), registryPath: join(directory, "registry") };
  const { compatibilityDate, d1Databases } = readWorkerOptions();
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      name: "database",
      modules: [{ type: "ESModule", path: "database.js", contents: SOURCE }],
      ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
      ...(d1Databases === undefined ? {} : { d1Databases }),
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.ERROR),
      telemetry: { enabled: false },
    }),
    ...storageOptions({ ...storage, ownPath: join(directory, "database-own") }),
  });
  const close = (): Promise<void> => miniflare.dispose();
  try {
    await miniflare.ready;
    return { sharedStorage: { ...storage, ownPath: join(directory, "objects") }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
