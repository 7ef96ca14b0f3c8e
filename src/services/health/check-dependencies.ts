import { sql } from "drizzle-orm";
import { readClockMs } from "#platform/clock";
import type { ServiceContext } from "../context.ts";

/** A dependency of the service and whether it answers. */
export interface DependencyCheck {
  readonly name: "d1" | "durable_objects" | "queue" | "chain";
  readonly isUp: boolean;
  /** False for what sale and door go on without for a while. */
  readonly isNeeded: boolean;
  readonly tookMs: number;
  /** In one word what is wrong; never an address or a secret. */
  readonly problem: "timeout" | "failed" | null;
}

const LONGEST_CHECK_MS = 2_000;
/** A desk that no tenant's number reaches: its first 24 bits are those of nobody's hash, its only work is to answer. */
const PROBED_DESK = 0;
const NIL_ID = "00000000-0000-0000-0000-000000000000";

/**
 * Asks each dependency for a real answer, at most 2 s each, all at once. Sale and door need D1 (catalogue, configuration) and the
 * Durable Objects; the queue and the chain may be down without stopping either.
 */
export function checkDependencies(ctx: ServiceContext): Promise<readonly DependencyCheck[]> {
  const checks: readonly [DependencyCheck["name"], boolean, () => Promise<unknown>][] = [
    ["d1", true, () => Promise.resolve(ctx.db.run(sql`SELECT 1`))],
    ["durable_objects", true, () => ctx.desk(PROBED_DESK).findOrder(NIL_ID, NIL_ID)],
    ["queue", false, () => ctx.mintQueue.metrics()],
    ["chain", false, () => assertChainHealthy(ctx)],
  ];
  return Promise.all(checks.map(([name, isNeeded, ask]) => check(name, isNeeded, ask)));
}

async function assertChainHealthy(ctx: ServiceContext): Promise<void> {
  if (!(await ctx.isChainHealthy())) throw new Error("the chain's node says it is not well");
}

async function check(name: DependencyCheck["name"], isNeeded: boolean, ask: () => Promise<unknown>): Promise<DependencyCheck> {
  const startedAtMs = readClockMs();
  const answer = await Promise.race([
    // Within a promise, so that what throws at once is down as well.
    Promise.resolve()
      .then(ask)
      .then(
        () => null,
        () => "failed" as const,
      ),
    wait(LONGEST_CHECK_MS),
  ]);
  return { name, isNeeded, isUp: answer === null, tookMs: readClockMs() - startedAtMs, problem: answer };
}

function wait(ms: number): Promise<"timeout"> {
  return new Promise((resolve) => {
    setTimeout(() => resolve("timeout"), ms);
  });
}
