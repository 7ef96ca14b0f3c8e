import { z } from "@hono/zod-openapi";
import { TRANSFER_CAUSES, TRANSFER_STATUSES } from "#domain/statuses";
import type { TransferView } from "#services/transfer/transfer-view";
import { id, presentOptionalTime, presentTime } from "../../schemas.ts";

/** An offer of a ticket. */
export const transferShape = z
  .object({
    id,
    ticketId: id,
    eventId: id,
    ticketTypeId: id,
    fromUserId: id,
    toUserId: id.nullable(),
    toEmail: z.string().nullable().openapi({ description: "Shown to who has just sent it and to who proves it theirs." }),
    status: z.enum(TRANSFER_STATUSES),
    cause: z.enum(TRANSFER_CAUSES).nullable().openapi({ description: "Why it was CANCELLED when its sender did not." }),
    expiresAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
    settledAt: z.iso.datetime().nullable(),
  })
  .openapi("Transfer");

/** The offer's wire form. */
export function presentTransfer(view: TransferView): z.input<typeof transferShape> {
  const { expiresAtMs, createdAtMs, settledAtMs, ...rest } = view;
  return {
    ...rest,
    expiresAt: presentTime(expiresAtMs),
    createdAt: presentTime(createdAtMs),
    settledAt: presentOptionalTime(settledAtMs),
  };
}
