import { ticketsOf, type OrderRecord } from "#domain/order";
import { projectDeskNews, type RecordedPaymentEvent } from "#storage/desk-projection";
import type { OutboxMessage, OutboxRow } from "../outbox.ts";

/** A ticket to mint, as the mint queue carries it. */
export interface MintMessage {
  readonly ticketId: string;
  readonly tenantId: string;
}

/** Messages one `sendBatch` may carry (Cloudflare Queues). */
const QUEUE_BATCH = 100;

/** Tells of an order in its new state. `issued` is true once: for the change that made its tickets. */
export function orderMessage(record: OrderRecord, issued: boolean): OutboxMessage {
  return { topic: issued ? "order_issued" : "order", body: record };
}

/** Tells of a payment event and what became of it. */
export function paymentEventMessage(event: RecordedPaymentEvent): OutboxMessage {
  return { topic: "payment_event", body: event };
}

/**
 * Delivers a desk's messages: first D1, in one transaction, then the mint queue, so that a queued ticket has its row.
 * @throws when either cannot be reached or refuses; all of it may be delivered again.
 */
export async function deliverDeskNews(
  db: D1Database,
  mintQueue: Queue<MintMessage>,
  rows: readonly OutboxRow[],
  nowMs: number,
): Promise<void> {
  const orders = new Map<string, OrderRecord>();
  const issued: OrderRecord[] = [];
  const paymentEvents: RecordedPaymentEvent[] = [];
  for (const row of rows) {
    const body: unknown = JSON.parse(row.body);
    if (row.topic === "payment_event") {
      paymentEvents.push(body as RecordedPaymentEvent); // written by paymentEventMessage
      continue;
    }
    const record = body as OrderRecord; // written by orderMessage
    orders.set(record.view.id, record);
    if (row.topic === "order_issued") issued.push(record);
  }
  const tickets = issued.flatMap(ticketsOf);
  await projectDeskNews(db, { orders: [...orders.values()], tickets, paymentEvents }, nowMs);
  for (let start = 0; start < tickets.length; start += QUEUE_BATCH) {
    const batch = tickets.slice(start, start + QUEUE_BATCH);
    await mintQueue.sendBatch(batch.map((ticket) => ({ body: { ticketId: ticket.id, tenantId: ticket.tenantId } })));
  }
}
