import { z } from "@hono/zod-openapi";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { breakerShape } from "./health-shape.ts";

export const listCircuitBreakers = defineRoute({
  method: "get",
  path: "/health/circuit-breakers",
  summary: "State and counters of the breakers of the isolate that answers",
  who: "O",
  tier: "read",
  answers: { 200: { description: "The breakers", schema: z.object({ items: z.array(breakerShape) }) } },
  handle: ({ ctx }) => json({ items: ctx.breakers.list() }),
});

export const resetCircuitBreakers = defineRoute({
  method: "post",
  path: "/health/circuit-breakers/reset",
  summary: "Close one breaker, or all",
  who: "O",
  tier: "write",
  body: z.strictObject({ name: z.string().min(1).max(64).optional() }),
  isBodyOptional: true,
  answers: { 200: { description: "The breakers that were reset", schema: z.object({ reset: z.array(z.string()) }) } },
  handle({ ctx, body }) {
    const reset = ctx.breakers.reset(body.name);
    if (body.name !== undefined && reset.length === 0) return { code: "not_found", what: "circuit breaker" };
    ctx.logger.info("circuit breakers reset", { names: reset, userId: ctx.principal.userId });
    return json({ reset });
  },
});
