import { z } from "@hono/zod-openapi";
import type { OrderPayment, OrderView } from "#domain/order-messages";
import { ORDER_STATUSES, PAYMENT_STATUSES } from "#domain/statuses";
import { cents, id, presentTime, quantity, sumCents } from "../../schemas.ts";

const line = z.object({
  ticketTypeId: id,
  name: z.string(),
  quantity,
  unitPriceCents: cents,
  discountCents: sumCents,
  totalCents: sumCents,
});

const totals = {
  currency: z.string(),
  subtotalCents: sumCents,
  discountCents: sumCents,
  feeCents: sumCents,
  taxCents: sumCents,
  totalCents: sumCents,
};

/** A priced basket as the contract shows it. */
export const quoteShape = z.object({ eventId: id, ...totals, items: z.array(line) }).openapi("Quote");

/** An order as the contract shows it. */
export const orderShape = z
  .object({
    id,
    orderNumber: z.string().regex(/^ORD-\d{8}$/),
    eventId: id,
    status: z.enum(ORDER_STATUSES),
    ...totals,
    refundedCents: sumCents.openapi({
      description:
        "How much of what the tickets were paid with has gone back or is on its way. Money that bought none goes back whole " +
        "and is not in it: the order's refunds list it.",
    }),
    items: z.array(line),
    reservation: z.object({ id, expiresAt: z.iso.datetime() }),
    payment: z
      .object({
        provider: z.string(),
        id: z.string(),
        status: z.enum(PAYMENT_STATUSES),
        action: z.object({ type: z.string(), url: z.string().optional(), clientSecret: z.string().optional() }),
      })
      .nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi("Order");

/** Lines with the money a buyer sees. */
export function presentLines(lines: OrderView["lines"]): z.input<typeof line>[] {
  return lines.map(({ ticketTypeId, name, quantity: count, unitPriceCents, discountCents, totalCents }) => ({
    ticketTypeId,
    name,
    quantity: count,
    unitPriceCents,
    discountCents,
    totalCents,
  }));
}

/**
 * The order's wire form.
 * @param readerId user who reads it; left out, nobody in particular. Its buyer alone gets the secret that the payment is made with.
 */
export function presentOrder(order: OrderView, readerId?: string): z.input<typeof orderShape> {
  const payment = order.payment && presentPayment(order.payment, readerId === order.userId);
  return {
    id: order.id,
    orderNumber: order.orderNumber,
    eventId: order.eventId,
    status: order.status,
    currency: order.currency,
    subtotalCents: order.subtotalCents,
    discountCents: order.discountCents,
    feeCents: order.feeCents,
    taxCents: order.taxCents,
    totalCents: order.totalCents,
    refundedCents: order.refundedCents,
    items: presentLines(order.lines),
    reservation: { id: order.reservationId, expiresAt: presentTime(order.holdExpiresAtMs) },
    payment,
    createdAt: presentTime(order.createdAtMs),
  };
}

function presentPayment({ provider, paymentId, status, action }: OrderPayment, isPayer: boolean) {
  const { clientSecret: _, ...open } = action;
  return { provider, id: paymentId, status, action: isPayer ? action : open };
}
