import { z } from "@hono/zod-openapi";
import { ORPHAN_ISSUES } from "#domain/reconcile";
import { listOrphanReservations } from "#services/upkeep/list-orphans";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery, presentTime, quantity } from "../../schemas.ts";

const orphan = z.object({
  reservationId: id,
  ticketTypeId: id,
  issue: z.enum(ORPHAN_ISSUES),
  userId: id,
  orderId: z.string().nullable(),
  quantity,
  expiresAt: z.iso.datetime(),
});

export const listOrphans = defineRoute({
  method: "get",
  path: "/admin/reservations/orphans",
  summary: "Reservations of the tenant that no order stands behind, for minutes already",
  who: "O",
  tier: "read",
  query: pageQuery,
  answers: { 200: { description: "A page of them; it may be short and still have a next one", schema: pageOf(orphan) } },
  async handle({ ctx, query: { limit, cursor = null } }) {
    const page = await listOrphanReservations(ctx, { limit, cursor });
    if (!page.ok) return page.failure;
    const items = page.value.items.map(
      ({ reservationId, ticketTypeId, issue, userId, orderId, quantity: count, expiresAtMs }) => {
        const what = { reservationId, ticketTypeId, issue, userId, orderId, quantity: count };
        return { ...what, expiresAt: presentTime(expiresAtMs) };
      },
    );
    return json({ items, nextCursor: page.value.nextCursor });
  },
});
