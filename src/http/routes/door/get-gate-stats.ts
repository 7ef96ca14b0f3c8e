import { z } from "@hono/zod-openapi";
import { findGateStats } from "#services/door/find-gate-stats";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";

const count = z.int().min(0);
const gateCount = z.object({
  listId: z.string().nullable(),
  ticketTypeId: id,
  ticketTypeName: z.string(),
  sold: count,
  admitted: count.openapi({ description: "Tickets let in at least once at this list." }),
  inside: count.openapi({ description: "Tickets let in and not out again." }),
});

/** The counts of an event's gate. */
export const getGateStats = defineRoute({
  method: "get",
  path: "/api/v1/validation/events/{eventId}/stats",
  summary: "Counts who was let in and who is inside, per list and ticket type.",
  who: "D",
  tier: "read",
  params: z.object({ eventId: id }),
  answers: {
    200: { description: "The counts.", schema: z.object({ eventId: id, lists: z.array(gateCount) }).openapi("GateStats") },
  },
  async handle({ ctx, params }) {
    const answer = await findGateStats(ctx, params.eventId);
    return answer.ok ? json({ eventId: params.eventId, lists: answer.value }) : answer.failure;
  },
});
