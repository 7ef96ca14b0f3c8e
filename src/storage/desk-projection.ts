import { ORDER_STATUS_RANK, ORDER_STATUSES, type PaymentEventOutcome } from "#domain/statuses";
import type { OrderRecord } from "#domain/order";
import type { IssuedTicket } from "#domain/order-messages";

/** A payment event as a desk recorded it. */
export interface RecordedPaymentEvent {
  readonly provider: string;
  readonly eventId: string;
  readonly tenantId: string;
  readonly orderId: string;
  readonly type: string;
  readonly outcome: PaymentEventOutcome;
  readonly occurredAtMs: number;
  readonly receivedAtMs: number;
}

/** What a desk tells D1 in one delivery. */
export interface DeskNews {
  readonly orders: readonly OrderRecord[];
  /** Those of the orders that D1 hears of for the first time: their lines and their keys go with them, once. */
  readonly newOrders: readonly OrderRecord[];
  readonly tickets: readonly IssuedTicket[];
  readonly paymentEvents: readonly RecordedPaymentEvent[];
}

/** SQL for the rank of a status, so that writers who know different things commute. */
function rankOf(column: string): string {
  const whens = ORDER_STATUSES.map((status) => `WHEN '${status}' THEN ${ORDER_STATUS_RANK[status]}`).join(" ");
  return `(CASE ${column} ${whens} END)`;
}

const UPSERT_ORDERS = `
INSERT INTO orders (id, tenant_id, order_number, user_id, event_id, status, currency, subtotal_cents, discount_cents, fee_cents,
  tax_cents, total_cents, reservation_id, hold_expires_at_ms, wallet_address, created_at_ms, paid_at_ms, seq)
SELECT value ->> '$.view.id', value ->> '$.view.tenantId', value ->> '$.view.orderNumber', value ->> '$.view.userId',
  value ->> '$.view.eventId', value ->> '$.view.status', value ->> '$.view.currency', value ->> '$.view.subtotalCents',
  value ->> '$.view.discountCents', value ->> '$.view.feeCents', value ->> '$.view.taxCents', value ->> '$.view.totalCents',
  value ->> '$.view.reservationId', value ->> '$.view.holdExpiresAtMs', value ->> '$.view.walletAddress',
  value ->> '$.view.createdAtMs', value ->> '$.view.paidAtMs', value ->> '$.version'
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO UPDATE SET
  status = CASE WHEN ${rankOf("excluded.status")} > orders.status_rank THEN excluded.status ELSE orders.status END,
  paid_at_ms = excluded.paid_at_ms,
  seq = excluded.seq
WHERE excluded.seq > orders.seq`;

const INSERT_ORDER_ITEMS = `
INSERT INTO order_items (order_id, line_number, tenant_id, ticket_type_id, name, quantity, unit_price_cents, discount_cents,
  fee_cents, tax_cents, total_cents)
SELECT o.value ->> '$.view.id', l.value ->> '$.lineNumber', o.value ->> '$.view.tenantId', l.value ->> '$.ticketTypeId',
  l.value ->> '$.name', l.value ->> '$.quantity', l.value ->> '$.unitPriceCents', l.value ->> '$.discountCents',
  l.value ->> '$.feeCents', l.value ->> '$.taxCents', l.value ->> '$.totalCents'
FROM json_each(?1) AS o, json_each(o.value, '$.view.lines') AS l WHERE true
ON CONFLICT (order_id, line_number) DO NOTHING`;

const INSERT_IDEMPOTENCY_KEYS = `
INSERT INTO idempotency_keys (id, tenant_id, user_id, route, body_hash, created_at_ms)
SELECT value ->> '$.view.id', value ->> '$.view.tenantId', value ->> '$.view.userId', value ->> '$.route',
  value ->> '$.bodyHash', value ->> '$.view.createdAtMs'
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO NOTHING`;

const UPSERT_PAYMENTS = `
INSERT INTO payments (provider, payment_id, tenant_id, order_id, status, amount_cents, currency, created_at_ms, updated_at_ms, seq)
SELECT value ->> '$.view.payment.provider', value ->> '$.view.payment.paymentId', value ->> '$.view.tenantId',
  value ->> '$.view.id', value ->> '$.view.payment.status', value ->> '$.view.totalCents', value ->> '$.view.currency',
  value ->> '$.view.createdAtMs', ?2, value ->> '$.version'
FROM json_each(?1) WHERE true
ON CONFLICT (provider, payment_id) DO UPDATE SET status = excluded.status, updated_at_ms = excluded.updated_at_ms, seq = excluded.seq
WHERE excluded.seq > payments.seq`;

const UPSERT_REFUNDS = `
INSERT INTO refunds (id, tenant_id, order_id, provider, payment_id, provider_refund_id, status, amount_cents, currency, reason,
  created_at_ms, seq)
SELECT r.value ->> '$.id', o.value ->> '$.view.tenantId', o.value ->> '$.view.id', r.value ->> '$.provider',
  r.value ->> '$.paymentId', r.value ->> '$.providerRefundId', r.value ->> '$.status', r.value ->> '$.amountCents',
  r.value ->> '$.currency', r.value ->> '$.reason', r.value ->> '$.createdAtMs', o.value ->> '$.version'
FROM json_each(?1) AS o, json_each(o.value, '$.refunds') AS r WHERE true
ON CONFLICT (id) DO UPDATE SET status = excluded.status, provider_refund_id = excluded.provider_refund_id, seq = excluded.seq
WHERE excluded.seq > refunds.seq`;

const INSERT_TICKETS = `
INSERT INTO tickets (id, tenant_id, event_id, ticket_type_id, order_id, owner_user_id, status, credential_epoch, wallet_address,
  created_at_ms)
SELECT value ->> '$.id', value ->> '$.tenantId', value ->> '$.eventId', value ->> '$.ticketTypeId', value ->> '$.orderId',
  value ->> '$.ownerUserId', value ->> '$.status', value ->> '$.credentialEpoch', value ->> '$.walletAddress',
  value ->> '$.createdAtMs'
FROM json_each(?1) WHERE true
ON CONFLICT (id) DO NOTHING`;

const INSERT_MINT_JOBS = `
INSERT INTO mint_jobs (ticket_id, tenant_id, event_id, status, queued_at_ms, updated_at_ms)
SELECT value ->> '$.id', value ->> '$.tenantId', value ->> '$.eventId', 'QUEUED', value ->> '$.createdAtMs',
  value ->> '$.createdAtMs'
FROM json_each(?1) WHERE true
ON CONFLICT (ticket_id) DO NOTHING`;

const INSERT_PAYMENT_EVENTS = `
INSERT INTO payment_events (provider, event_id, tenant_id, order_id, type, outcome, attempts, occurred_at_ms, received_at_ms, seq)
SELECT value ->> '$.provider', value ->> '$.eventId', value ->> '$.tenantId', value ->> '$.orderId', value ->> '$.type',
  value ->> '$.outcome', 1, value ->> '$.occurredAtMs', value ->> '$.receivedAtMs', 1
FROM json_each(?1) WHERE true
ON CONFLICT (provider, event_id) DO NOTHING`;

const INSERT_WEBHOOK_NONCES = `
INSERT INTO webhook_nonces (provider, webhook_id, received_at_ms)
SELECT value ->> '$.provider', value ->> '$.eventId', value ->> '$.receivedAtMs' FROM json_each(?1) WHERE true
ON CONFLICT (provider, webhook_id) DO NOTHING`;

/** Characters of JSON in one bound value. D1 takes 2 MB; a longer one would be refused whenever it is tried again. */
const LONGEST_JSON = 500_000;

/** The items as JSON arrays of at most about {@link LONGEST_JSON} characters, in order; none for no items. */
function toJsonChunks(items: readonly unknown[]): string[] {
  const chunks: string[] = [];
  let parts: string[] = [];
  let length = 0;
  for (const item of items) {
    const json = JSON.stringify(item);
    if (parts.length > 0 && length + json.length > LONGEST_JSON) {
      chunks.push(`[${parts.join(",")}]`);
      parts = [];
      length = 0;
    }
    parts.push(json);
    length += json.length + 1;
  }
  if (parts.length > 0) chunks.push(`[${parts.join(",")}]`);
  return chunks;
}

/**
 * Brings D1 up to what a desk says, in one transaction and one round trip. The same news again, or older news after newer,
 * changes nothing: orders, payments and refunds are guarded by the order's version, the rest by their keys.
 * @throws when D1 is down, or refuses a row (a constraint): nothing is written then.
 */
export async function projectDeskNews(db: D1Database, news: DeskNews, nowMs: number): Promise<void> {
  const statements = [
    ...toJsonChunks(news.orders).map((orders) => db.prepare(UPSERT_ORDERS).bind(orders)),
    ...toJsonChunks(news.newOrders).flatMap((orders) => [
      db.prepare(INSERT_ORDER_ITEMS).bind(orders),
      db.prepare(INSERT_IDEMPOTENCY_KEYS).bind(orders),
    ]),
    ...toJsonChunks(news.orders.filter((order) => order.view.payment !== null)).map((orders) =>
      db.prepare(UPSERT_PAYMENTS).bind(orders, nowMs),
    ),
    ...toJsonChunks(news.orders.filter((order) => order.refunds.length > 0)).map((orders) =>
      db.prepare(UPSERT_REFUNDS).bind(orders),
    ),
    ...toJsonChunks(news.tickets).flatMap((tickets) => [
      db.prepare(INSERT_TICKETS).bind(tickets),
      db.prepare(INSERT_MINT_JOBS).bind(tickets),
    ]),
    ...toJsonChunks(news.paymentEvents).flatMap((paymentEvents) => [
      db.prepare(INSERT_PAYMENT_EVENTS).bind(paymentEvents),
      db.prepare(INSERT_WEBHOOK_NONCES).bind(paymentEvents),
    ]),
  ];
  if (statements.length > 0) await db.batch(statements);
}
