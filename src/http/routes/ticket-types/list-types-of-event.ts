import { z } from "@hono/zod-openapi";
import { listTicketTypes } from "#services/ticket-type/list-ticket-types";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTicketType, ticketTypeShape } from "./ticket-type-shape.ts";

export const listTypesOfEvent = defineRoute({
  method: "get",
  path: "/api/v1/tickets/events/{eventId}/types",
  summary: "All ticket types of an event, archived ones too, in the order they were made",
  who: "P",
  tier: "read",
  params: z.object({ eventId: id }),
  answers: { 200: { description: "The ticket types", schema: z.object({ items: z.array(ticketTypeShape) }) } },
  async handle({ ctx, params }) {
    const types = await listTicketTypes(ctx, params.eventId);
    return types.ok ? json({ items: types.value.map(presentTicketType) }) : types.failure;
  },
});
