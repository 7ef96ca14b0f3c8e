import { z } from "@hono/zod-openapi";
import { findEvent } from "#services/event/find-event";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { eventShape, presentEvent } from "./event-shape.ts";

export const getEvent = defineRoute({
  method: "get",
  path: "/api/v1/events/{id}",
  summary: "An event",
  who: "P",
  tier: "read",
  params: z.object({ id }),
  answers: { 200: { description: "The event", schema: eventShape } },
  async handle({ ctx, params }) {
    const event = await findEvent(ctx, params.id);
    return event.ok ? json(presentEvent(event.value)) : event.failure;
  },
});
