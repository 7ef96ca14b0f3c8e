import { createEvent } from "#services/event/create-event";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { eventBody, eventShape, presentEvent, toEventFields } from "./event-shape.ts";

export const postEvent = defineRoute({
  method: "post",
  path: "/api/v1/events",
  summary: "Make an event",
  who: "M",
  tier: "write",
  body: eventBody,
  answers: { 201: { description: "The new event", schema: eventShape } },
  async handle({ ctx, body }) {
    const event = await createEvent(ctx, toEventFields(body));
    return event.ok ? json(presentEvent(event.value), 201) : event.failure;
  },
});
