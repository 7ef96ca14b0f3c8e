import { setTimeout as wait } from "node:timers/promises";
import { runSql, type BenchWorld } from "./bench-world.ts";
import { quantile } from "./report.ts";

const SAMPLE_EVERY_MS = 50;

/** How far D1 was behind a sale, milliseconds. */
export interface ProjectionLag {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly samples: number;
}

/**
 * Watches D1 while orders are placed without a pause: the age of the newest order it has is how long the one before it took
 * to get there, plus the wait for the next.
 * @param load resolves when the sale is over.
 */
export async function watchProjectionLag(world: BenchWorld, load: Promise<unknown>): Promise<ProjectionLag> {
  const over = load.then(
    () => true,
    () => true,
  );
  const lagsMs: number[] = [];
  for (;;) {
    if (await Promise.race([over, wait(SAMPLE_EVERY_MS, false)])) break;
    const [row] = await runSql(world, "SELECT MAX(created_at_ms) AS newest FROM orders WHERE tenant_id = ?1", [world.tenantId]);
    const newest = (row as { newest: number | null } | undefined)?.newest; // the statement's one column
    if (typeof newest === "number") lagsMs.push(Date.now() - newest);
  }
  await load;
  const sorted = lagsMs.toSorted((one, other) => one - other);
  return { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), maxMs: sorted.at(-1) ?? 0, samples: sorted.length };
}
