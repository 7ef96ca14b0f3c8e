import { z } from "@hono/zod-openapi";
import { updateTicketType } from "#services/ticket-type/update-ticket-type";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTicketType, ticketTypeChangesBody, ticketTypeShape } from "./ticket-type-shape.ts";

export const putTicketType = defineRoute({
  method: "put",
  path: "/api/v1/tickets/types/{id}",
  summary: "Change any field of a ticket type; the quantity never below what is held and sold",
  who: "M",
  tier: "write",
  params: z.object({ id }),
  body: ticketTypeChangesBody,
  answers: { 200: { description: "The ticket type as it is now", schema: ticketTypeShape } },
  async handle({ ctx, params, body }) {
    const { eventId, quantity, saleStartsAt, saleEndsAt, ...others } = body;
    const fields = { ...others, saleStartsAtMs: saleStartsAt, saleEndsAtMs: saleEndsAt };
    const type = await updateTicketType(ctx, { ticketTypeId: params.id, eventId, quantity, fields });
    return type.ok ? json(presentTicketType(type.value)) : type.failure;
  },
});
