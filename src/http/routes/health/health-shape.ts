import { z } from "@hono/zod-openapi";
import { json, presentTime } from "../../schemas.ts";

const SERVICE = "edge-tickets";

/** How the service is: `degraded` sells and admits, and something beside is down. */
export const healthShape = z.object({
  status: z.enum(["ok", "degraded", "down"]),
  service: z.string(),
  timestamp: z.iso.datetime(),
});

/** A circuit breaker of the isolate that answers, with what it has counted since the isolate started. */
export const breakerShape = z.object({
  name: z.string(),
  state: z.enum(["closed", "open", "half_open"]),
  succeededCount: z.int(),
  failedCount: z.int(),
  refusedCount: z.int(),
  openedCount: z.int(),
});

/** A health answer; `down` is 503. */
export function presentHealth(
  status: "ok" | "degraded" | "down",
  nowMs: number,
  more: Readonly<Record<string, unknown>> = {},
): Response {
  return json({ status, service: SERVICE, timestamp: presentTime(nowMs), ...more }, status === "down" ? 503 : 200);
}
