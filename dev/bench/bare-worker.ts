import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { readWorkerOptions } from "../read-worker-options.ts";

/**
 * The ceilings: a hello, and a SQLite Durable Object that does one insert a call. No router, no validation, no logging: what
 * is left is what the runtime itself costs. The insert's answer waits for its own fsync, as every answer of a Durable Object does.
 */
const SOURCE = `
import { DurableObject } from "cloudflare:workers";

export class Rows extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, body TEXT NOT NULL)");
  }
  async insert(eventId, body) {
    this.ctx.storage.sql.exec("INSERT INTO rows (event_id, body) VALUES (?, ?)", eventId, body);
    return true;
  }
}

export default {
  async fetch(request, env) {
    if (request.method === "GET") return new Response("hello");
    const body = await request.json();
    await env.ROWS.getByName("one").insert(body.eventId, JSON.stringify(body));
    return Response.json({ inserted: true }, { status: 201 });
  },
};
`;

/** The bare Worker, running. */
export interface BareWorker {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the bare Worker as the service is started: same runtime, date, sockets and storage on the same disk. */
export async function startBareWorker(persistPath: string): Promise<BareWorker> {
  const { compatibilityDate, compatibilityFlags } = readWorkerOptions();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "bare",
      modules: [{ type: "ESModule", path: "bare.js", contents: SOURCE }],
      ...(compatibilityDate === undefined ? {} : { compatibilityDate }),
      ...(compatibilityFlags === undefined ? {} : { compatibilityFlags }),
      durableObjects: { ROWS: { className: "Rows", useSQLite: true } },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.ERROR),
      telemetry: { enabled: false },
      resourcePersistencePath: persistPath,
    }),
  );
  const close = (): Promise<void> => miniflare.dispose();
  try {
    await miniflare.ready;
    return { url: (await miniflare.unsafeGetDirectURL()).origin, close };
  } catch (error) {
    await close();
    throw error;
  }
}
