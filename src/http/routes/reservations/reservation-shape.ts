import { z } from "@hono/zod-openapi";
import type { HoldView } from "#domain/order-messages";
import { RESERVATION_STATUSES } from "#domain/statuses";
import { id, presentTime, quantity } from "../../schemas.ts";

/** A reservation as the contract shows it. */
export const reservationShape = z
  .object({
    id,
    eventId: id,
    status: z.enum(RESERVATION_STATUSES),
    expiresAt: z.iso.datetime(),
    tickets: z.array(z.object({ ticketTypeId: id, quantity })),
  })
  .openapi("Reservation");

/** The reservation's wire form. */
export function presentReservation(hold: HoldView): z.input<typeof reservationShape> {
  const { id: reservationId, eventId, status, expiresAtMs, lines } = hold;
  return { id: reservationId, eventId, status, expiresAt: presentTime(expiresAtMs), tickets: [...lines] };
}
