import { once } from "node:events";
import { z } from "zod";
import { cpuProfileSchema, type CpuProfile } from "./cpu-profile.ts";

/** How often a profile looks at what is at work, microseconds. */
export const SAMPLE_EVERY_MICROS = 200;

/** The Worker of the service among those that Miniflare runs beside it (D1, queues). */
const SERVICE_TARGET = "core:user:edge-tickets";

const targetsSchema = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }));
const replySchema = z.object({ id: z.number(), result: z.unknown().optional(), error: z.unknown().optional() });

/**
 * Profiles the service's isolate, Durable Objects included, while `work` goes on.
 * @param inspectorUrl where the runtime's inspector listens.
 */
export async function profileWhile<T>(
  inspectorUrl: string,
  work: () => Promise<T>,
): Promise<{ readonly profile: CpuProfile; readonly value: T }> {
  const listUrl = new URL("/json", inspectorUrl.replace(/^ws/, "http"));
  const targets = targetsSchema.parse(await (await fetch(listUrl)).json());
  const target = targets.find(({ id }) => id === SERVICE_TARGET);
  if (!target) throw new Error(`the inspector does not know ${SERVICE_TARGET}`);
  const session = await openSession(target.webSocketDebuggerUrl);
  try {
    await session.call("Profiler.enable");
    await session.call("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_MICROS });
    await session.call("Profiler.start");
    const value = await work();
    const stopped = z.object({ profile: cpuProfileSchema }).parse(await session.call("Profiler.stop"));
    return { profile: stopped.profile, value };
  } finally {
    session.close();
  }
}

interface Session {
  /** @throws what the inspector refuses. */
  call(method: string, params?: object): Promise<unknown>;
  close(): void;
}

/** Speaks the Chrome DevTools protocol: numbered calls, each answered under its number. */
async function openSession(url: string): Promise<Session> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (reply: z.infer<typeof replySchema>) => void>();
  socket.addEventListener("message", ({ data }) => {
    const reply = replySchema.safeParse(JSON.parse(String(data))); // events of the inspector have no number
    if (reply.success) waiting.get(reply.data.id)?.(reply.data);
  });
  await once(socket, "open");
  let calls = 0;
  return {
    async call(method, params = {}) {
      calls += 1;
      const id = calls;
      const answered = new Promise<z.infer<typeof replySchema>>((resolve) => waiting.set(id, resolve));
      socket.send(JSON.stringify({ id, method, params }));
      const { result, error } = await answered;
      waiting.delete(id);
      if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
      return result;
    },
    close: () => socket.close(),
  };
}
