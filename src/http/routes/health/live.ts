import { defineRoute } from "../../route.ts";
import { healthShape, presentHealth } from "./health-shape.ts";

const answers = { 200: { description: "The service answers and is configured", schema: healthShape } };

export const health = defineRoute({
  method: "get",
  path: "/health",
  summary: "The service answers",
  who: "P",
  tier: "none",
  answers,
  handle: ({ ctx }) => presentHealth("ok", ctx.nowMs),
});

export const live = defineRoute({
  method: "get",
  path: "/health/live",
  summary: "The service answers",
  who: "P",
  tier: "none",
  answers,
  handle: ({ ctx }) => presentHealth("ok", ctx.nowMs),
});
