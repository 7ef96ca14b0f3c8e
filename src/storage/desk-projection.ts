import { ORDER_STATUS_RANK, ORDER_STATUSES, type PaymentEventOutcome } from "#domain/statuses";
import type { OrderRecord } from "#domain/order";
import { isToBeChecked } from "#domain/payment-check";
import { firstRefundCheckAtMs } from "#domain/refund-check";
import type { IssuedTicket } from "#domain/order-messages";
import type { RecallCause } from "#domain/order-money";
import { toJsonChunks, type Row } from "./json-chunks.ts";
import { TENANT_WANTS_EVENTS } from "./outgoing-events.ts";

/** A payment event as a desk recorded it. */
export interface RecordedPaymentEvent {
  readonly provider: string;
  readonly eventId: string;
  readonly tenantId: string;
  readonly orderId: string;
  readonly type: string;
  /** The type in the provider's own words; null when an older version recorded it. */
  readonly rawType: string | null;
  /** Why, in the provider's words; null when it does not say. */
  readonly reason: string | null;
  readonly outcome: PaymentEventOutcome;
  /** How often the desk has decided about it: what has a higher number is newer. */
  readonly attempts: number;
  readonly occurredAtMs: number;
  readonly receivedAtMs: number;
}

/** Tickets of one order that died together. */
export interface RecalledTickets {
  readonly tenantId: string;
  readonly orderId: string;
  readonly eventId: string;
  readonly ticketIds: readonly string[];
  readonly cause: RecallCause;
  readonly recalledAtMs: number;
}

/** What a desk tells D1 in one delivery. */
export interface DeskNews {
  readonly orders: readonly OrderRecord[];
  /** Those of the orders that D1 hears of for the first time: their lines and their keys go with them, once. */
  readonly newOrders: readonly OrderRecord[];
  /** Tickets that D1 hears of for the first time, as they were issued, also those that died since. */
  readonly tickets: readonly IssuedTicket[];
  /** Tickets that died since D1 heard last. */
  readonly recalls: readonly RecalledTickets[];
  readonly paymentEvents: readonly RecordedPaymentEvent[];
}

/** SQL for the rank of a status, so that writers who know different things commute. */
function rankOf(column: string): string {
  const whens = ORDER_STATUSES.map((status) => `WHEN '${status}' THEN ${ORDER_STATUS_RANK[status]}`).join(" ");
  return `(CASE ${column} ${whens} END)`;
}

/** `INSERT` of rows that come as JSON arrays, one value a column: a row of scalars is read faster than paths into an object. */
function insertRows(table: string, columns: string, onConflict: string): string {
  const values = columns.split(",").map((_, position) => `value ->> ${position}`);
  return `INSERT INTO ${table} (${columns}) SELECT ${values.join(", ")} FROM json_each(?1) WHERE true ON CONFLICT ${onConflict}`;
}

/**
 * An order whose event D1 has lost is refused because it is NULL here, and at once. Its foreign key would refuse it only after SQLite had read
 * all tickets and payments for the order, which it does for each row of a statement that has broken a key.
 */
const UPSERT_ORDERS = insertRows(
  "orders",
  `id, tenant_id, order_number, user_id, event_id, status, currency, subtotal_cents, discount_cents, fee_cents, tax_cents,
   total_cents, line_count, reservation_id, hold_expires_at_ms, wallet_address, created_at_ms, paid_at_ms, refunded_cents, seq`,
  `(id) DO UPDATE SET
     status = CASE WHEN ${rankOf("excluded.status")} > orders.status_rank THEN excluded.status ELSE orders.status END,
     paid_at_ms = excluded.paid_at_ms, refunded_cents = excluded.refunded_cents, seq = excluded.seq
   WHERE excluded.seq > orders.seq`,
).replace("value ->> 4", `(SELECT id FROM events WHERE id = value ->> 4)`);

function toOrderRow({ view, version }: OrderRecord): Row {
  const whose = [view.id, view.tenantId, view.orderNumber, view.userId, view.eventId, view.status, view.currency];
  const money = [view.subtotalCents, view.discountCents, view.feeCents, view.taxCents, view.totalCents, view.lines.length];
  const times = [view.reservationId, view.holdExpiresAtMs, view.walletAddress, view.createdAtMs, view.paidAtMs];
  return [...whose, ...money, ...times, view.refundedCents, version];
}

/**
 * Comes before the orders themselves, whose rows say whether this was told before: news of an order brings its latest state, so it may be
 * paid before its tickets are told of. The orders come by tenant, so that one without endpoints costs one look, however many they are.
 */
const INSERT_PAID_ORDERS = `INSERT INTO outbox (tenant_id, topic, body, created_at_ms, next_attempt_at_ms)
  SELECT tenant.value ->> 0, 'order.paid', json_object('orderId', paid.value ->> 0, 'orderNumber', paid.value ->> 1,
      'eventId', paid.value ->> 2, 'userId', paid.value ->> 3, 'currency', paid.value ->> 4, 'totalCents', paid.value ->> 5),
    paid.value ->> 6, paid.value ->> 6
  FROM json_each(?1) AS tenant CROSS JOIN json_each(tenant.value ->> 1) AS paid
  WHERE EXISTS (SELECT 1 FROM webhook_endpoints
      WHERE webhook_endpoints.tenant_id = tenant.value ->> 0 AND webhook_endpoints.status = 'ACTIVE')
    AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = paid.value ->> 0 AND orders.paid_at_ms IS NOT NULL)`;

function toPaidRows(orders: readonly OrderRecord[]): Row[] {
  const byTenant = new Map<string, Row[]>();
  for (const { view } of orders) {
    if (view.paidAtMs === null) continue;
    const { id, tenantId, orderNumber, userId, eventId, currency, totalCents, paidAtMs } = view;
    const row = [id, orderNumber, eventId, userId, currency, totalCents, paidAtMs];
    const rows = byTenant.get(tenantId);
    if (rows) rows.push(row);
    else byTenant.set(tenantId, [row]);
  }
  return [...byTenant].map(([tenantId, rows]) => [tenantId, JSON.stringify(rows)]);
}

const INSERT_ORDER_ITEMS = insertRows(
  "order_items",
  `order_id, line_number, tenant_id, ticket_type_id, name, quantity, unit_price_cents, discount_cents, fee_cents, tax_cents,
   total_cents`,
  "(order_id, line_number) DO NOTHING",
);

function toItemRows({ view }: OrderRecord): Row[] {
  return view.lines.map((line) => {
    const what = [view.id, line.lineNumber, view.tenantId, line.ticketTypeId, line.name, line.quantity, line.unitPriceCents];
    return [...what, line.discountCents, line.feeCents, line.taxCents, line.totalCents];
  });
}

const INSERT_ORDER_DISCOUNTS = insertRows(
  "order_discounts",
  "order_id, line_number, discount_id, tenant_id, amount_cents",
  "(order_id, line_number, discount_id) DO NOTHING",
);

function toOrderDiscountRows({ view, discounts = [] }: OrderRecord): Row[] {
  return discounts.flatMap(({ discountId, lines }) =>
    lines.map(({ lineNumber, amountCents }) => [view.id, lineNumber, discountId, view.tenantId, amountCents]),
  );
}

const INSERT_IDEMPOTENCY_KEYS = insertRows(
  "idempotency_keys",
  "id, tenant_id, user_id, route, body_hash, created_at_ms",
  "(created_at_ms, id) DO NOTHING",
);

function toKeyRow({ view, route, bodyHash }: OrderRecord): Row {
  return [view.id, view.tenantId, view.userId, route, bodyHash, view.createdAtMs];
}

const UPSERT_PAYMENTS = insertRows(
  "payments",
  "provider, payment_id, tenant_id, order_id, status, amount_cents, currency, created_at_ms, updated_at_ms, seq, next_check_at_ms",
  `(created_at_ms, order_id, provider, payment_id) DO UPDATE SET status = excluded.status, updated_at_ms = excluded.updated_at_ms, seq = excluded.seq,
     next_check_at_ms = CASE WHEN excluded.next_check_at_ms IS NULL THEN NULL
       ELSE coalesce(payments.next_check_at_ms, excluded.next_check_at_ms) END
   WHERE excluded.seq > payments.seq`,
);

function toPaymentRows({ view, version }: OrderRecord, nowMs: number): Row[] {
  const { payment } = view;
  if (payment === null) return [];
  const { provider, paymentId, status } = payment;
  const whose = [provider, paymentId, view.tenantId, view.id, status];
  const times = [view.createdAtMs, nowMs, version, isToBeChecked(view) ? nowMs : null];
  return [[...whose, view.totalCents, view.currency, ...times]];
}

const UPSERT_REFUNDS = insertRows(
  "refunds",
  `id, tenant_id, order_id, provider, payment_id, provider_refund_id, status, amount_cents, currency, reason, note, ticket_ids,
   settled_by, next_check_at_ms, created_at_ms, seq`,
  `(id) DO UPDATE SET status = excluded.status, provider_refund_id = excluded.provider_refund_id,
     ticket_ids = excluded.ticket_ids, settled_by = excluded.settled_by, seq = excluded.seq
   WHERE excluded.seq > refunds.seq`,
);

function toRefundRows({ view, refunds, version }: OrderRecord): Row[] {
  return refunds.map((refund) => {
    const { id, provider, paymentId, providerRefundId, status, amountCents, currency, reason, note } = refund;
    const whose = [id, view.tenantId, view.id, provider, paymentId, providerRefundId];
    const what = [status, amountCents, currency, reason, note, JSON.stringify(refund.ticketIds), refund.settledBy ?? null];
    return [...whose, ...what, firstRefundCheckAtMs(refund.createdAtMs), refund.createdAtMs, version];
  });
}

const INSERT_TICKETS = insertRows(
  "tickets",
  `id, tenant_id, event_id, ticket_type_id, order_id, owner_user_id, status, credential_epoch, wallet_address, created_at_ms`,
  "(id) DO NOTHING",
);

function toTicketRow(ticket: IssuedTicket): Row {
  const { id, tenantId, eventId, ticketTypeId, orderId } = ticket;
  const { ownerUserId, status, credentialEpoch, walletAddress, createdAtMs } = ticket;
  return [id, tenantId, eventId, ticketTypeId, orderId, ownerUserId, status, credentialEpoch, walletAddress, createdAtMs];
}

const INSERT_MINT_JOBS = insertRows(
  "mint_jobs",
  "ticket_id, tenant_id, event_id, status, queued_at_ms, updated_at_ms",
  "(ticket_id) DO NOTHING",
);

function toMintJobRow({ id, tenantId, eventId, createdAtMs }: IssuedTicket): Row {
  return [id, tenantId, eventId, "QUEUED", createdAtMs, createdAtMs];
}

/** Comes first: an asset whose ticket D1 does not have yet is refused by its foreign key, and the recall is told again later. */
const INSERT_ASSET_BURNS = insertRows(
  "asset_burns",
  "ticket_id, tenant_id, status, queued_at_ms, updated_at_ms",
  "(ticket_id) DO NOTHING",
);

function toAssetBurnRows({ tenantId, ticketIds, recalledAtMs }: RecalledTickets): Row[] {
  return ticketIds.map((ticketId) => [ticketId, tenantId, "QUEUED", recalledAtMs, recalledAtMs]);
}

/** What becomes of tickets once, when they are cancelled: told to who owns them then, and their status. */
const IS_CANCELLED_NOW = `tickets.id = recalled.value ->> 0 AND +tickets.tenant_id = recalled.value ->> 1
  AND tickets.status <> 'CANCELLED'`;
const INSERT_CANCELLATIONS = `INSERT INTO outbox (tenant_id, topic, body, created_at_ms, next_attempt_at_ms)
  SELECT tickets.tenant_id, 'ticket.canceled', json_object('ticketId', tickets.id, 'orderId', tickets.order_id,
      'eventId', tickets.event_id, 'ownerUserId', tickets.owner_user_id, 'reason', recalled.value ->> 2),
    recalled.value ->> 3, recalled.value ->> 3
  FROM json_each(?1) AS recalled CROSS JOIN tickets ON ${IS_CANCELLED_NOW} WHERE ${TENANT_WANTS_EVENTS}`;
const CANCEL_TICKETS = `UPDATE tickets SET status = 'CANCELLED' FROM json_each(?1) AS recalled WHERE ${IS_CANCELLED_NOW}`;

function toRecallRows({ tenantId, ticketIds, cause, recalledAtMs }: RecalledTickets): Row[] {
  return ticketIds.map((ticketId) => [ticketId, tenantId, cause, recalledAtMs]);
}

const UPSERT_PAYMENT_EVENTS = insertRows(
  "payment_events",
  "provider, event_id, tenant_id, order_id, type, raw_type, reason, outcome, attempts, occurred_at_ms, received_at_ms, seq",
  `(provider, event_id) DO UPDATE SET outcome = excluded.outcome, attempts = excluded.attempts, seq = excluded.seq
   WHERE excluded.seq > payment_events.seq`,
);

function toPaymentEventRow(event: RecordedPaymentEvent): Row {
  const { provider, eventId, tenantId, orderId, type, rawType, reason, outcome, attempts, occurredAtMs, receivedAtMs } = event;
  return [provider, eventId, tenantId, orderId, type, rawType, reason, outcome, attempts, occurredAtMs, receivedAtMs, attempts];
}

const INSERT_WEBHOOK_NONCES = insertRows(
  "webhook_nonces",
  "provider, webhook_id, received_at_ms",
  "(received_at_ms, provider, webhook_id) DO NOTHING",
);

function toNonceRow({ provider, eventId, receivedAtMs }: RecordedPaymentEvent): Row {
  return [provider, eventId, receivedAtMs];
}

/**
 * Brings D1 up to what a desk says, in one transaction and one round trip. The same news again, or older news after newer,
 * changes nothing: orders, payments and refunds are guarded by the order's version, events by how often they were decided,
 * cancellations by the ticket's status, the rest by their keys.
 * @returns true when it wrote events that tenants want to be sent.
 * @throws when D1 is down, or refuses a row (a constraint): nothing is written then.
 */
export async function projectDeskNews(db: D1Database, news: DeskNews, nowMs: number): Promise<boolean> {
  const { orders, newOrders, tickets, recalls, paymentEvents } = news;
  const writes: readonly (readonly [string, readonly Row[]])[] = [
    [INSERT_PAID_ORDERS, toPaidRows(orders)],
    [UPSERT_ORDERS, orders.map(toOrderRow)],
    [INSERT_ORDER_ITEMS, newOrders.flatMap(toItemRows)],
    [INSERT_ORDER_DISCOUNTS, newOrders.flatMap(toOrderDiscountRows)],
    [INSERT_IDEMPOTENCY_KEYS, newOrders.map(toKeyRow)],
    [UPSERT_PAYMENTS, orders.flatMap((order) => toPaymentRows(order, nowMs))],
    [UPSERT_REFUNDS, orders.flatMap(toRefundRows)],
    [INSERT_TICKETS, tickets.map(toTicketRow)],
    [INSERT_MINT_JOBS, tickets.map(toMintJobRow)],
    [INSERT_ASSET_BURNS, recalls.flatMap(toAssetBurnRows)],
    [INSERT_CANCELLATIONS, recalls.flatMap(toRecallRows)],
    [CANCEL_TICKETS, recalls.flatMap(toRecallRows)],
    [UPSERT_PAYMENT_EVENTS, paymentEvents.map(toPaymentEventRow)],
    [INSERT_WEBHOOK_NONCES, paymentEvents.map(toNonceRow)],
  ];
  const bound = writes.flatMap(([sql, rows]) =>
    toJsonChunks(rows).map((json) => ({ sql, statement: db.prepare(sql).bind(json) })),
  );
  if (bound.length === 0) return false;
  const results = await db.batch(bound.map(({ statement }) => statement));
  return bound.some(({ sql }, at) => WRITES_EVENTS.includes(sql) && (results[at]?.meta.changes ?? 0) > 0);
}

const WRITES_EVENTS: readonly string[] = [INSERT_PAID_ORDERS, INSERT_CANCELLATIONS];
