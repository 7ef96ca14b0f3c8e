import { z } from "@hono/zod-openapi";
import { REFUND_STATUSES } from "#domain/statuses";
import { listRefunds, type RefundView } from "#services/order/list-refunds";
import { defineRoute } from "../../route.ts";
import { id, json, pageOf, presentTime, sumCents } from "../../schemas.ts";

const refundShape = z
  .object({
    id,
    status: z.enum(REFUND_STATUSES),
    amountCents: sumCents.min(1),
    currency: z.string(),
    reason: z.string(),
    note: z.string().optional().openapi({ description: "What the organiser gave as the reason" }),
    ticketIds: z.array(id).openapi({ description: "The tickets it pays back; none for money that bought none" }),
    createdAt: z.iso.datetime(),
  })
  .openapi("Refund");

export const getRefunds = defineRoute({
  method: "get",
  path: "/api/v1/orders/{orderId}/refunds",
  summary: "The refunds of an order, oldest first",
  who: "A",
  tier: "read",
  params: z.object({ orderId: id }),
  answers: { 200: { description: "All of them", schema: pageOf(refundShape) } },
  async handle({ ctx, params }) {
    const refunds = await listRefunds(ctx, params.orderId);
    if (!refunds.ok) return refunds.failure;
    return json({ items: refunds.value.map(presentRefund), nextCursor: null });
  },
});

function presentRefund(refund: RefundView): z.input<typeof refundShape> {
  const { id: refundId, status, amountCents, currency, reason, note, ticketIds, createdAtMs } = refund;
  return {
    id: refundId,
    status,
    amountCents,
    currency,
    reason,
    ...(note === null ? {} : { note }),
    ticketIds: [...ticketIds],
    createdAt: presentTime(createdAtMs),
  };
}
