import { z } from "@hono/zod-openapi";
import { holdStock } from "#services/reservation/hold-stock";
import { toRefusal } from "../../problem.ts";
import { defineRoute } from "../../route.ts";
import { id, json, REPLAYED } from "../../schemas.ts";
import { basketLines } from "../orders/basket-shape.ts";
import { presentReservation, reservationShape } from "./reservation-shape.ts";

export const makeReservation = defineRoute({
  method: "post",
  path: "/api/v1/tickets/purchase",
  summary: "Hold tickets, all or nothing",
  who: "A",
  tier: "sale",
  needsIdempotencyKey: true,
  body: z.strictObject({ eventId: id, tickets: basketLines }).openapi("ReservationRequest"),
  answers: { 201: { description: "The reservation", schema: reservationShape } },
  async handle({ ctx, body, identify }) {
    const held = await holdStock(ctx, { request: identify(), eventId: body.eventId, lines: body.tickets });
    if (!held.ok) return toRefusal(held);
    return json(presentReservation(held.value), 201, held.replayed ? REPLAYED : {});
  },
});
