import { z } from "@hono/zod-openapi";
import { releaseReservation } from "#services/reservation/release-reservation";
import { respond } from "../../security-headers.ts";
import { defineRoute } from "../../route.ts";
import { id } from "../../schemas.ts";

export const release = defineRoute({
  method: "delete",
  path: "/api/v1/tickets/reservations/{id}",
  summary: "Give an own reservation back; again changes nothing",
  who: "A",
  tier: "sale",
  params: z.object({ id }),
  answers: { 204: { description: "Its tickets are on sale again" } },
  async handle({ ctx, params }) {
    const released = await releaseReservation(ctx, params.id);
    return released.ok ? respond(null, 204) : released.failure;
  },
});
