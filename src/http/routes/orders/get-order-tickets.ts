import { z } from "@hono/zod-openapi";
import { listOrderTickets } from "#services/order/list-order-tickets";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf } from "../../schemas.ts";
import { presentTicket, ticketShape } from "../tickets/ticket-shape.ts";

export const getOrderTickets = defineRoute({
  method: "get",
  path: "/api/v1/orders/{orderId}/tickets",
  summary: "The tickets of an order; none before it is paid",
  who: "A",
  tier: "read",
  params: z.object({ orderId: id }),
  answers: { 200: { description: "All of them", schema: pageOf(ticketShape) } },
  async handle({ ctx, params }) {
    const tickets = await listOrderTickets(ctx, params.orderId);
    return tickets.ok ? json({ items: tickets.value.map(presentTicket), nextCursor: null }) : tickets.failure;
  },
});
