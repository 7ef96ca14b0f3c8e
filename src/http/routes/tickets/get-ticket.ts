import { z } from "@hono/zod-openapi";
import { findTicket } from "#services/ticket/find-ticket";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTicket, ticketShape } from "./ticket-shape.ts";

export const getTicket = defineRoute({
  method: "get",
  path: "/api/v1/tickets/{ticketId}",
  summary: "An own ticket (venue managers: any of the tenant)",
  who: "A",
  tier: "read",
  params: z.object({ ticketId: id }),
  answers: { 200: { description: "The ticket", schema: ticketShape } },
  async handle({ ctx, params }) {
    const ticket = await findTicket(ctx, params.ticketId);
    return ticket.ok ? json(presentTicket(ticket.value)) : ticket.failure;
  },
});
