import { z } from "@hono/zod-openapi";
import { updateEvent } from "#services/event/update-event";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { eventBody, eventShape, presentEvent, toEventFields } from "./event-shape.ts";

export const putEvent = defineRoute({
  method: "put",
  path: "/api/v1/events/{id}",
  summary: "Replace an event; its currency stays once it has a ticket type",
  who: "M",
  tier: "write",
  params: z.object({ id }),
  body: eventBody,
  answers: { 200: { description: "The event as it is now", schema: eventShape } },
  async handle({ ctx, params, body }) {
    const event = await updateEvent(ctx, { eventId: params.id, fields: toEventFields(body) });
    return event.ok ? json(presentEvent(event.value)) : event.failure;
  },
});
