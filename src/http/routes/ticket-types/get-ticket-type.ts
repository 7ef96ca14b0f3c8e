import { z } from "@hono/zod-openapi";
import { findTicketType } from "#services/ticket-type/find-ticket-type";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentTicketType, ticketTypeShape } from "./ticket-type-shape.ts";

export const getTicketType = defineRoute({
  method: "get",
  path: "/api/v1/tickets/types/{id}",
  summary: "A ticket type with its stock, at most half a second old",
  who: "P",
  tier: "read",
  params: z.object({ id }),
  answers: { 200: { description: "The ticket type", schema: ticketTypeShape } },
  async handle({ ctx, params }) {
    const type = await findTicketType(ctx, params.id);
    return type.ok ? json(presentTicketType(type.value)) : type.failure;
  },
});
