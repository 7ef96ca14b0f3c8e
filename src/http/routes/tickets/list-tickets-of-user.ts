import { z } from "@hono/zod-openapi";
import { parseCursor } from "#services/page";
import { listUserTickets } from "#services/ticket/list-tickets";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { presentTicket, ticketShape } from "./ticket-shape.ts";

export const listTicketsOfUser = defineRoute({
  method: "get",
  path: "/api/v1/tickets/users/{userId}",
  summary: "A user's tickets: for the user, and for venue managers",
  who: "A",
  tier: "read",
  params: z.object({ userId: id }),
  query: pageQuery,
  answers: { 200: { description: "A page of tickets", schema: pageOf(ticketShape) } },
  async handle({ ctx, params, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listUserTickets(ctx, params.userId, { limit: query.limit, after: after.value });
    if (!page.ok) return page.failure;
    return json({ items: page.value.items.map(presentTicket), nextCursor: page.value.nextCursor });
  },
});
