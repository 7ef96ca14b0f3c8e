import { z } from "@hono/zod-openapi";
import { LONGEST_HOLD_SECONDS } from "#domain/inventory";
import { TICKET_TYPE_STATUSES } from "#domain/statuses";
import { AVAILABILITIES, type TicketTypeView } from "#services/ticket-type/ticket-type-view";
import { cents, id, lineOfText, longText, presentOptionalTime, quantity, time } from "../../schemas.ts";

const count = z.int().min(0);
const rateBps = z.int().min(0).max(10_000).openapi({ description: "Basis points, contained in the price: 1900 is 19 %" });
/** With at most 50 lines a basket, this bounds the tickets of one order. */
const perOrder = z.int().min(1).max(100);
const holdSeconds = z.int().min(5).max(LONGEST_HOLD_SECONDS);

/** A ticket type as the contract shows it. heldCount + soldCount + availableCount = quantity. */
export const ticketTypeShape = z
  .object({
    id,
    eventId: id,
    name: z.string(),
    description: z.string().nullable(),
    priceCents: cents,
    currency: z.string(),
    quantity: count,
    heldCount: count,
    soldCount: count,
    availableCount: count,
    availability: z.enum(AVAILABILITIES),
    status: z.enum(TICKET_TYPE_STATUSES),
    saleStartsAt: z.iso.datetime().nullable(),
    saleEndsAt: z.iso.datetime().nullable(),
    minPerOrder: count,
    maxPerOrder: count,
    maxPerUser: count.nullable(),
    reservationTtlSeconds: holdSeconds,
    transferable: z.boolean(),
    feeCents: cents,
    taxRateBps: rateBps,
  })
  .openapi("TicketType");

const fields = {
  name: lineOfText(200),
  description: longText(5_000).nullable(),
  priceCents: cents,
  quantity,
  saleStartsAt: time.nullable(),
  saleEndsAt: time.nullable(),
  minPerOrder: perOrder,
  maxPerOrder: perOrder,
  maxPerUser: quantity.nullable(),
  reservationTtlSeconds: holdSeconds,
  transferable: z.boolean(),
  feeCents: cents,
  taxRateBps: rateBps,
};

/** A new ticket type, with the contract's defaults. */
export const newTicketTypeBody = z.strictObject({
  ...fields,
  eventId: id,
  description: fields.description.default(null),
  saleStartsAt: fields.saleStartsAt.default(null),
  saleEndsAt: fields.saleEndsAt.default(null),
  minPerOrder: perOrder.default(1),
  maxPerOrder: perOrder.default(10),
  maxPerUser: fields.maxPerUser.default(null),
  reservationTtlSeconds: holdSeconds.optional().openapi({
    description:
      "When left out, the service's own: 600 unless configured. A basket of several types is held for the shortest of theirs",
  }),
  transferable: z.boolean().default(true),
  feeCents: cents.default(0),
  taxRateBps: rateBps.default(0),
});

/** Any of the fields; what is left out stays, and null takes away what may be without. */
export const ticketTypeChangesBody = z.strictObject({ ...fields, eventId: id }).partial();

/** The ticket type's wire form. */
export function presentTicketType({ saleStartsAtMs, saleEndsAtMs, ...type }: TicketTypeView): z.input<typeof ticketTypeShape> {
  return { ...type, saleStartsAt: presentOptionalTime(saleStartsAtMs), saleEndsAt: presentOptionalTime(saleEndsAtMs) };
}
