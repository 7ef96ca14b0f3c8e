import { z } from "@hono/zod-openapi";
import { MINT_STATUSES, TICKET_STATUSES } from "#domain/statuses";
import type { TicketView } from "#services/ticket/ticket-view";
import { id, presentOptionalTime } from "../../schemas.ts";

/** A ticket as the contract shows it. */
export const ticketShape = z
  .object({
    id,
    eventId: id,
    ticketTypeId: id,
    orderId: id,
    ownerUserId: id,
    status: z.enum(TICKET_STATUSES),
    credentialEpoch: z.int(),
    admittedAt: z.iso.datetime().nullable(),
    heldByAddress: z.string().nullable().openapi({
      description: "Wallet that the asset was moved to outside the service; whoever proves it may claim the ticket.",
    }),
    mint: z.object({
      status: z.enum(MINT_STATUSES),
      assetId: z.string().nullable(),
      signature: z.string().nullable(),
      leafIndex: z.int().nullable(),
    }),
  })
  .openapi("Ticket");

/** The ticket's wire form. */
export function presentTicket(ticket: TicketView): z.input<typeof ticketShape> {
  const { id: ticketId, eventId, ticketTypeId, orderId, ownerUserId, status, credentialEpoch, admittedAtMs, mint } = ticket;
  const { heldByAddress } = ticket;
  return {
    id: ticketId,
    eventId,
    ticketTypeId,
    orderId,
    ownerUserId,
    status,
    credentialEpoch,
    admittedAt: presentOptionalTime(admittedAtMs),
    heldByAddress,
    mint: { ...mint },
  };
}
