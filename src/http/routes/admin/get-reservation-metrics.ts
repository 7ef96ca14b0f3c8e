import { z } from "@hono/zod-openapi";
import type { Backlog } from "#domain/upkeep-messages";
import { readReservationMetrics, type TypeMetrics } from "#services/upkeep/reservation-metrics";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery, presentOptionalTime } from "../../schemas.ts";

const count = z.int().min(0);
const stock = z.object({ quantity: count, heldCount: count, soldCount: count, availableCount: z.int() });
const reservations = z.object({ activeCount: count, completedCount: count, cancelledCount: count, expiredCount: count });
const backlog = z.object({
  undeliveredCount: count.openapi({
    description: "Changes that the database has not heard yet, counted up to 10,000 an object",
  }),
  refusedCount: count,
  oldestUndeliveredAt: z.iso.datetime().nullable(),
});
const type = z.object({ ticketTypeId: id, eventId: id, name: z.string(), stock, reservations, projection: backlog });
const metrics = z.object({
  stock,
  reservations: reservations.extend({ isComplete: z.boolean() }),
  projection: backlog.extend({ lagMs: count }),
  ...pageOf(type).shape,
});

function presentBacklog({ waitingCount, refusedCount, oldestAtMs }: Backlog): z.input<typeof backlog> {
  return { undeliveredCount: waitingCount, refusedCount, oldestUndeliveredAt: presentOptionalTime(oldestAtMs) };
}

function presentType(metricsOfType: TypeMetrics): z.input<typeof type> {
  const { ticketTypeId, eventId, name, stock: ofType, reservations: counts, backlog: waiting } = metricsOfType;
  return { ticketTypeId, eventId, name, stock: ofType, reservations: counts, projection: presentBacklog(waiting) };
}

export const getReservationMetrics = defineRoute({
  method: "get",
  path: "/admin/reservations/metrics",
  summary: "Stock and reservations of the tenant, by ticket type, and how far the database is behind",
  who: "O",
  tier: "read",
  query: pageQuery.extend({ cursor: id.optional() }),
  answers: { 200: { description: "Figures of the tenant, and a page of its ticket types", schema: metrics } },
  async handle({ ctx, query: { limit, cursor = null } }) {
    const { projection, items, ...figures } = await readReservationMetrics(ctx, { limit, cursor });
    return json({
      ...figures,
      projection: { ...presentBacklog(projection), lagMs: projection.lagMs },
      items: items.map(presentType),
    });
  },
});
