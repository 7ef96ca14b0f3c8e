import { z } from "@hono/zod-openapi";
import { parseCursor } from "#services/page";
import { listDeliveries, replayDelivery } from "#services/webhook/deliveries";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, pageQuery } from "../../schemas.ts";
import { deliveryShape, presentDelivery } from "./endpoint-shape.ts";

export const getDeliveries = defineRoute({
  method: "get",
  path: "/api/v1/webhook-endpoints/{id}/deliveries",
  summary: "What was sent to an endpoint in the last 30 days or is to be, newest first",
  who: "O",
  tier: "read",
  params: z.object({ id }),
  query: pageQuery,
  answers: { 200: { description: "A page of deliveries", schema: pageOf(deliveryShape) } },
  async handle({ ctx, params, query }) {
    const after = parseCursor(query.cursor);
    if (!after.ok) return after.failure;
    const page = await listDeliveries(ctx, params.id, { limit: query.limit, after: after.value });
    if (!page.ok) return page.failure;
    return json({ items: page.value.items.map(presentDelivery), nextCursor: page.value.nextCursor });
  },
});

export const replay = defineRoute({
  method: "post",
  path: "/api/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/replay",
  summary: "Send an event to an endpoint once more, under the same webhook-id",
  who: "O",
  tier: "write",
  params: z.object({ id, deliveryId: id }),
  answers: { 202: { description: "It is sent within seconds", schema: deliveryShape } },
  async handle({ ctx, params }) {
    const replayed = await replayDelivery(ctx, params.id, params.deliveryId);
    return replayed.ok ? json(presentDelivery(replayed.value), 202) : replayed.failure;
  },
});
