import { z } from "@hono/zod-openapi";
import { reconcileReservations } from "#services/upkeep/reconcile-reservations";
import { defineRoute } from "../../route.ts";
import { id, json } from "../../schemas.ts";

const count = z.int().min(0);
const uses = z.object({ heldCount: count, usedCount: count });
const capDifferences = z.object({
  discountId: id,
  cap: z.enum(["uses", "first_tickets"]),
  counters: z.object({ before: uses, after: uses }).nullable(),
  unrepaired: z.enum(["no_inventory"]).nullable(),
});
const counters = z.object({ quantity: count, heldCount: count, soldCount: count });
const differences = z.object({
  ticketTypeId: id,
  missingCount: count.openapi({ description: "Reservations that the database lacked" }),
  staleCount: count.openapi({ description: "Reservations that the database held otherwise" }),
  extraCount: count.openapi({ description: "Rows of reservations that were never made, or not then; they were deleted" }),
  counters: z.object({ before: counters, after: counters }).nullable(),
  reservationIds: z.array(id).openapi({ description: "Some of the reservations that differed" }),
  unrepaired: z.enum(["far_behind", "no_inventory"]).nullable(),
});

export const reconcile = defineRoute({
  method: "post",
  path: "/admin/reservations/reconcile",
  summary: "Make the database say of reservations and stock what the inventories say, and tell what differed",
  who: "O",
  tier: "write",
  body: z.strictObject({ eventId: id.optional(), ticketTypeId: id.optional(), cursor: z.string().max(200).optional() }),
  isBodyOptional: true,
  answers: {
    200: {
      description: "What differed; send `nextCursor` as `cursor` to go on where this answer stopped",
      schema: z.object({
        checkedReservationCount: count,
        items: z.array(differences),
        discounts: z.array(capDifferences).openapi({ description: "Codes whose counted uses differed" }),
        nextCursor: z.string().nullable(),
      }),
    },
  },
  async handle({ ctx, body: { eventId = null, ticketTypeId = null, cursor = null } }) {
    const outcome = await reconcileReservations(ctx, { eventId, ticketTypeId, cursor });
    return outcome.ok ? json(outcome.value) : outcome.failure;
  },
});
