import { randomUUID } from "node:crypto";
import { BENCH_PATH } from "./bench-bundle.ts";
import type { BenchWorld } from "./bench-world.ts";

const HOLDS_AT_ONCE = 500;

/**
 * Makes holds at the inventory itself: a hundred thousand in seconds.
 * @param endsAtMs when all of them run out, Unix milliseconds; left out, each after the type's hold time.
 */
export async function makeHolds(world: BenchWorld, count: number, endsAtMs?: number): Promise<void> {
  const { tenantId, heldTypeId: ticketTypeId } = world;
  for (let made = 0; made < count; made += HOLDS_AT_ONCE) {
    const hold = { tenantId, quantity: 1, ...(endsAtMs === undefined ? {} : { holdMs: endsAtMs - Date.now() }) };
    const holds = Array.from({ length: HOLDS_AT_ONCE }, () => ({
      ...hold,
      reservationId: randomUUID(),
      userId: randomUUID(),
    }));
    await callBench(world, { ticketTypeId, holds });
  }
}

/** Asks the benchmark's own module in front of the service to do something. */
export async function callBench(world: BenchWorld, body: unknown): Promise<void> {
  const response = await fetch(`${world.serviceUrl}${BENCH_PATH}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the benchmark's own call answered ${response.status}: ${await response.text()}`);
}
