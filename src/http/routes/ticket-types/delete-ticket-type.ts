import { z } from "@hono/zod-openapi";
import { archiveTicketType } from "#services/ticket-type/archive-ticket-type";
import { respond } from "../../security-headers.ts";
import { defineRoute } from "../../route.ts";
import { id } from "../../schemas.ts";

export const deleteTicketType = defineRoute({
  method: "delete",
  path: "/api/v1/tickets/types/{id}",
  summary: "Take a ticket type off sale for good; sold tickets stay valid, again changes nothing",
  who: "M",
  tier: "write",
  params: z.object({ id }),
  answers: { 204: { description: "It is archived" } },
  async handle({ ctx, params }) {
    const archived = await archiveTicketType(ctx, params.id);
    return archived.ok ? respond(null, 204) : archived.failure;
  },
});
