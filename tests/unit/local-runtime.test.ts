import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { applyMigrations, type MigrationTarget } from "#dev/apply-migrations";
import { generateDevelopmentSecrets } from "#dev/dev-vars";
import { startRuntime, type Runtime } from "#dev/runtime";
import { startStack } from "#dev/start-stack";

/** Answers with what it finds in each binding of wrangler.toml, and counts in a Durable Object. */
const SOURCE = `
import { DurableObject } from "cloudflare:workers";
const consumed = [];
export class TicketTypeInventory extends DurableObject {
  count() {
    this.ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS calls (at INTEGER)");
    this.ctx.storage.sql.exec("INSERT INTO calls VALUES (1)");
    return this.ctx.storage.sql.exec("SELECT COUNT(*) AS calls FROM calls").one().calls;
  }
}
export class OrderDesk extends DurableObject {}
export class EventGate extends DurableObject {}
export class ClientBans extends DurableObject {}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/limit") return Response.json(await env.RATE_LIMIT_WRITE.limit({ key: "somebody" }));
    if (pathname === "/consumed") return Response.json(consumed);
    await env.MINT_QUEUE.send("a mint");
    const tables = await env.DB.prepare("SELECT COUNT(*) AS count FROM ticket_types").first();
    const calls = await env.TICKET_TYPE_INVENTORY.getByName("one").count();
    return Response.json({ calls, tables, issuer: env.JWT_ISSUER });
  },
  queue: (batch) => { for (const message of batch.messages) consumed.push([batch.queue, message.body]); },
  scheduled: () => { consumed.push("cron"); },
};
`;

const folder = await mkdtemp(join(tmpdir(), "edge-tickets-test-"));
const bundle = { directory: folder, modules: [{ type: "ESModule", name: "index.js" }] } as const;

function start(): Promise<Runtime> {
  return startRuntime({ bundle, bindings: { JWT_ISSUER: "me" }, persistPath: join(folder, "state") });
}

async function ask(runtime: Runtime, path: string): Promise<unknown> {
  return (await fetch(`${runtime.url}${path}`)).json();
}

beforeAll(() => writeFile(join(folder, "index.js"), SOURCE));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the local runtime", () => {
  it("keeps what the service stored over a restart, and migrates D1 before the first request", async () => {
    const first = await start();
    expect(await ask(first, "/")).toEqual({ calls: 1, tables: { count: 0 }, issuer: "me" });
    await first.close();
    const second = await start();
    expect(await ask(second, "/")).toEqual({ calls: 2, tables: { count: 0 }, issuer: "me" });
    await second.close();
  });

  it("says so of a database that another version made, in place of what SQLite says of its tables", async () => {
    const seen = {
      bind: () => seen,
      run: () => Promise.resolve(),
      all: () => Promise.resolve({ results: [{ name: "0000_old.sql" }] }),
    };
    const batch = (): Promise<never> => Promise.reject(new Error("table `events` already exists"));
    const database = { prepare: () => seen, batch } as unknown as MigrationTarget; // its rows are of the one kind that is asked for
    await expect(applyMigrations(database)).rejects.toThrow("another version (0000_old.sql)");
  });

  it("delivers queued messages and runs the cron handler", async () => {
    const runtime = await start();
    await ask(runtime, "/");
    await runtime.runScheduled();
    await expect
      .poll(() => ask(runtime, "/consumed"), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(["cron", ["mint", "a mint"]]));
    await runtime.close();
  });

  it("refuses what goes over the limits of wrangler.toml", async () => {
    const runtime = await start();
    const answers = await Promise.all(Array.from({ length: 700 }, () => ask(runtime, "/limit")));
    const allowed = answers.filter((answer) => JSON.stringify(answer) === '{"success":true}');
    // 300 in a window of ten seconds; the calls may fall into two windows.
    expect(allowed.length).toBeGreaterThanOrEqual(300);
    expect(allowed.length).toBeLessThanOrEqual(600);
    await runtime.close();
  });

  it("says that the service is gone when its process was killed and none starts in its place", async () => {
    const lost = Promise.withResolvers<Error>();
    const runtime = await startRuntime({ bundle, bindings: {}, onLost: lost.resolve });
    vi.stubEnv("MINIFLARE_WORKERD_PATH", process.execPath); // knows none of workerd's arguments and ends at once
    for (const processId of listOwnRuntimes()) process.kill(processId, "SIGKILL");
    expect((await lost.promise).message).toContain("failed to restart");
    vi.unstubAllEnvs();
    await runtime.close();
  });
});

/** Ids of the workerd processes that this one has started. */
function listOwnRuntimes(): number[] {
  const table = execFileSync("ps", ["-A", "-o", "pid=,ppid=,comm="], { encoding: "utf8" });
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap(([id, parentId, name = ""]) =>
    Number(parentId) === process.pid && name.includes("workerd") ? [Number(id)] : [],
  );
}

it("says which port is taken instead of starting half of the stack", async () => {
  const squatter = createServer();
  const port = await new Promise<number>((resolve) => {
    squatter.listen(0, "127.0.0.1", () => {
      const address = squatter.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const secrets = await generateDevelopmentSecrets();
  await expect(startStack({ secrets, port })).rejects.toThrow(`port ${port} is in use`);
  squatter.close();
});
