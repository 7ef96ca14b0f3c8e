import { ticketsOf, type OrderRecord } from "#domain/order";
import type { IssuedTicket, MintMessage } from "#domain/order-messages";
import type { Logger } from "#platform/logger";
import { projectDeskNews, type RecordedPaymentEvent } from "#storage/desk-projection";
import type { OutboxMessage, OutboxRow } from "../outbox.ts";

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

/** What a delivery reaches. */
export interface DeliveryReach {
  readonly db: D1Database;
  readonly mintQueue: Queue<MintMessage>;
  readonly logger: Logger;
}

/**
 * Delivers a desk's messages: first D1, in one transaction, then the mint queue, so that a queued ticket has its row.
 * A queue that is down holds nothing up: the mint job in D1 is the durable intent, and the cron sends what was never picked up.
 * @throws when D1 cannot be reached or refuses; all of it may be delivered again.
 */
export async function deliverDeskNews(reach: DeliveryReach, rows: readonly OutboxRow[], nowMs: number): Promise<void> {
  const orders = new Map<string, OrderRecord>();
  const newOrders: OrderRecord[] = [];
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
    if (record.version === 1) newOrders.push(record);
    if (row.topic === "order_issued") issued.push(record);
  }
  const tickets = issued.flatMap(ticketsOf);
  await projectDeskNews(reach.db, { orders: [...orders.values()], newOrders, tickets, paymentEvents }, nowMs);
  await queueMints(reach, tickets);
}

async function queueMints({ mintQueue, logger }: DeliveryReach, tickets: readonly IssuedTicket[]): Promise<void> {
  try {
    for (let start = 0; start < tickets.length; start += QUEUE_BATCH) {
      const batch = tickets.slice(start, start + QUEUE_BATCH);
      await mintQueue.sendBatch(batch.map((ticket) => ({ body: { ticketId: ticket.id, tenantId: ticket.tenantId } })));
    }
  } catch (error) {
    logger.error("the mint queue did not take tickets, the cron will send them", { alert: "mint_queue_down", error });
  }
}
