import { createTicketType } from "#services/ticket-type/create-ticket-type";
import { defineRoute } from "../../route.ts";
import { json } from "../../schemas.ts";
import { newTicketTypeBody, presentTicketType, ticketTypeShape } from "./ticket-type-shape.ts";

export const postTicketType = defineRoute({
  method: "post",
  path: "/api/v1/tickets/types",
  summary: "Put a new ticket type of an event on sale",
  who: "M",
  tier: "write",
  body: newTicketTypeBody,
  answers: { 201: { description: "The new ticket type", schema: ticketTypeShape } },
  async handle({ ctx, body: { saleStartsAt, saleEndsAt, ...fields } }) {
    const type = await createTicketType(ctx, { ...fields, saleStartsAtMs: saleStartsAt, saleEndsAtMs: saleEndsAt });
    return type.ok ? json(presentTicketType(type.value), 201) : type.failure;
  },
});
