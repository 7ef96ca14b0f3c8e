import { listTickets } from "#services/ticket/list-tickets";
import { parseCursor } from "#services/page";
import { defineRoute } from "../../route.ts";
import { json, pageOf, pageQuery } from "../../schemas.ts";
import { presentTicket, ticketShape } from "./ticket-shape.ts";

export const listOwnTickets = defineRoute({
  method: "get",
  path: "/api/v1/tickets",
  summary: "The caller's own tickets, newest first",
  who: "A",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of tickets", schema: pageOf(ticketShape) } },
  async handle({ ctx, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listTickets(ctx, { limit: query.limit, after: after.value });
    return json({ items: page.items.map(presentTicket), nextCursor: page.nextCursor });
  },
});
