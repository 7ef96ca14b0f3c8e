import { z } from "@hono/zod-openapi";
import { checkDependencies } from "#services/health/check-dependencies";
import { defineRoute } from "../../route.ts";
import { healthShape, presentHealth } from "./health-shape.ts";
import { judge } from "./ready.ts";

const dependency = z.object({
  name: z.string(),
  isUp: z.boolean(),
  isNeeded: z.boolean(),
  tookMs: z.number(),
  problem: z.enum(["timeout", "failed"]).nullable(),
});

export const detailed = defineRoute({
  method: "get",
  path: "/health/detailed",
  summary: "Each dependency's state",
  who: "O",
  tier: "read",
  answers: {
    200: { description: "State of each dependency", schema: healthShape.extend({ dependencies: z.array(dependency) }) },
    503: { description: "The same, when the service cannot sell or admit" },
  },
  async handle({ ctx }) {
    const dependencies = await checkDependencies(ctx);
    return presentHealth(judge(dependencies), ctx.nowMs, { dependencies, circuitBreakers: ctx.breakers.list() });
  },
});
