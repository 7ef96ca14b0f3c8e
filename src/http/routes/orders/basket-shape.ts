import { z } from "@hono/zod-openapi";
import { CODES_PER_ORDER } from "#domain/discount";
import { id, quantity, walletAddress } from "../../schemas.ts";

/** Lines of one basket. */
export const basketLines = z
  .array(z.strictObject({ ticketTypeId: id, quantity }))
  .min(1)
  .max(50);

/** What a buyer may ask to price or buy: lines of an event, or an earlier hold. */
export const purchaseBody = z
  .strictObject({
    eventId: id.optional(),
    tickets: basketLines.optional(),
    reservationId: id.optional(),
    discountCodes: z.array(z.string().trim().min(1).max(64)).max(CODES_PER_ORDER).optional(),
    paymentProvider: z.enum(["standard", "stripe"]).optional(),
    walletAddress: walletAddress.optional(),
  })
  .refine(
    ({ eventId, tickets, reservationId }) =>
      reservationId === undefined
        ? eventId !== undefined && tickets !== undefined
        : eventId === undefined && tickets === undefined,
    { error: "either eventId and tickets, or reservationId", path: ["reservationId"] },
  )
  .openapi("PurchaseRequest");
