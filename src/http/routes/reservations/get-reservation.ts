import { z } from "@hono/zod-openapi";
import { findReservation } from "#services/reservation/find-reservation";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";
import { presentReservation, reservationShape } from "./reservation-shape.ts";

export const getReservation = defineRoute({
  method: "get",
  path: "/api/v1/tickets/reservations/{id}",
  summary: "An own reservation",
  who: "A",
  tier: "read",
  params: z.object({ id }),
  answers: { 200: { description: "The reservation as it is now", schema: reservationShape } },
  async handle({ ctx, params }) {
    const hold = await findReservation(ctx, params.id);
    return hold.ok ? json(presentReservation(hold.value)) : hold.failure;
  },
});
