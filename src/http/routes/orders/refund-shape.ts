import { z } from "@hono/zod-openapi";
import { REFUND_STATUSES } from "#domain/statuses";
import type { RefundView } from "#services/order/list-refunds";
import { id, presentTime, sumCents } from "../../schemas.ts";

/** A refund as callers read it. */
export const refundShape = z
  .object({
    id,
    status: z.enum(REFUND_STATUSES),
    amountCents: sumCents.min(1),
    currency: z.string(),
    reason: z.string(),
    note: z.string().optional().openapi({ description: "What the organiser gave as the reason" }),
    ticketIds: z.array(id).openapi({ description: "The tickets it pays back; none for money that bought none" }),
    settledBy: id.optional().openapi({ description: "Who paid it back by hand; shown to the organiser" }),
    createdAt: z.iso.datetime(),
  })
  .openapi("Refund");

/** The refund's wire form; who settled it is left out where nobody did, or where the caller may not know. */
export function presentRefund(refund: RefundView): z.input<typeof refundShape> {
  const { id: refundId, status, amountCents, currency, reason, note, ticketIds, settledBy, createdAtMs } = refund;
  return {
    id: refundId,
    status,
    amountCents,
    currency,
    reason,
    ...(note === null ? {} : { note }),
    ticketIds: [...ticketIds],
    ...(settledBy === null ? {} : { settledBy }),
    createdAt: presentTime(createdAtMs),
  };
}
