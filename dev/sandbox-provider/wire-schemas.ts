import { z } from "zod";

const amountCents = z.int().min(1);
const currency = z.string().regex(/^[A-Z]{3}$/);

/** Body of `POST /payments`. `expiresAt` is only shown to the payer: a late payment is taken, as real providers do. */
export const paymentOrderSchema = z.strictObject({
  orderId: z.uuid(),
  amountCents,
  currency,
  description: z.string().max(500).default("Tickets"),
  expiresAt: z.iso.datetime().optional(),
});
/** A payment as the service asks for it. */
export type PaymentOrder = z.infer<typeof paymentOrderSchema>;

/** Body of `POST /refunds`. */
export const refundOrderSchema = z.strictObject({
  paymentId: z.string().min(1),
  orderId: z.uuid(),
  amountCents,
  currency,
  reason: z.string().max(500),
});
/** A refund as the service asks for it. */
export type RefundOrder = z.infer<typeof refundOrderSchema>;

/**
 * Trouble to make on purpose with the event an action sends:
 *
 * | parameter | does |
 * |---|---|
 * | `duplicates=N` | N more deliveries of the same event (same `webhook-id`), all at once |
 * | `delayMs=N` | waits before the first attempt |
 * | `amountCents=N` | takes, and reports, another amount than was asked |
 * | `currency=XXX` | reports another currency |
 * | `reorder=1` | holds the event back until a later event of the same payment was delivered (a few seconds at most) |
 */
export const troubleSchema = z.strictObject({
  duplicates: z.coerce.number().int().min(0).max(50).default(0),
  delayMs: z.coerce.number().int().min(0).max(60_000).default(0),
  amountCents: z.coerce.number().int().min(0).optional(),
  currency: currency.optional(),
  reorder: z.enum(["0", "1"]).default("0"),
  outcome: z.enum(["opened", "won", "lost"]).optional(),
});
/** Trouble made on purpose, as query parameters ask for it. */
export type Trouble = z.infer<typeof troubleSchema>;

/** What `GET /events` shows: all, or those that nobody took; of those since a time; at most so many, after one of them. */
export const eventQuerySchema = z.strictObject({
  undelivered: z.enum(["0", "1"]).default("0"),
  since: z.iso.datetime().optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
  cursor: z.string().optional(),
});

/**
 * Trouble to make on purpose with the refunds that are asked for next (`POST /trouble`):
 *
 * | parameter | does |
 * |---|---|
 * | `refundsDown=N` | the next N calls are answered 503, as if the provider were down |
 * | `refundsFail=N` | the next N refunds are taken, and fail afterwards (`refund.failed`) |
 */
export const refundTroubleSchema = z.strictObject({
  refundsDown: z.coerce.number().int().min(0).default(0),
  refundsFail: z.coerce.number().int().min(0).default(0),
});
/** Trouble with refunds that is left to make. */
export type RefundTrouble = z.infer<typeof refundTroubleSchema>;
