import { z } from "@hono/zod-openapi";
import { checkDependencies } from "#services/health/check-dependencies";
import { defineRoute } from "../../route.ts";
import { breakerShape, healthShape, presentHealth } from "./health-shape.ts";
import { judge } from "./ready.ts";

const dependency = z.object({
  name: z.string(),
  isUp: z.boolean(),
  isNeeded: z.boolean(),
  tookMs: z.number(),
  problem: z.enum(["timeout", "failed"]).nullable(),
});

const detailedShape = healthShape.extend({ dependencies: z.array(dependency), circuitBreakers: z.array(breakerShape) });

export const detailed = defineRoute({
  method: "get",
  path: "/health/detailed",
  summary: "Each dependency's state",
  who: "O",
  tier: "read",
  answers: {
    200: { description: "State of each dependency", schema: detailedShape },
    503: { description: "The same, when the service cannot sell or admit", schema: detailedShape },
  },
  async handle({ ctx }) {
    const dependencies = await checkDependencies(ctx);
    return presentHealth(judge(dependencies), ctx.nowMs, { dependencies, circuitBreakers: ctx.breakers.list() });
  },
});
