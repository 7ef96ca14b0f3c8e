import { checkDependencies, type DependencyCheck } from "#services/health/check-dependencies";
import { defineRoute } from "../../route.ts";
import { healthShape, presentHealth } from "./health-shape.ts";

export const ready = defineRoute({
  method: "get",
  path: "/health/ready",
  summary: "The service can sell and admit",
  who: "P",
  tier: "read",
  answers: {
    200: { description: "It can; degraded when something beside is down", schema: healthShape },
    503: { description: "It cannot", schema: healthShape },
  },
  async handle({ ctx }) {
    return presentHealth(judge(await checkDependencies(ctx)), ctx.nowMs);
  },
});

/** `down` when something that sale or door needs is down. */
export function judge(checks: readonly DependencyCheck[]): "ok" | "degraded" | "down" {
  if (checks.some(({ isUp, isNeeded }) => !isUp && isNeeded)) return "down";
  return checks.every(({ isUp }) => isUp) ? "ok" : "degraded";
}
