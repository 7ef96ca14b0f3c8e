import { z } from "@hono/zod-openapi";
import { findTicketForOperator } from "#services/internal/find-for-operator";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTicket, ticketShape } from "../tickets/ticket-shape.ts";

export const getTicketForOperator = defineRoute({
  method: "get",
  path: "/internal/tickets/{ticketId}",
  summary: "Any ticket, for the operator's own services",
  who: "S",
  tier: "none",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "The ticket", schema: ticketShape } },
  async handle({ ctx, params, request }) {
    const ticket = await findTicketForOperator(ctx, { rawBody: new Uint8Array(), headers: request.headers }, params.ticketId);
    return ticket.ok ? json(presentTicket(ticket.value)) : ticket.failure;
  },
});
