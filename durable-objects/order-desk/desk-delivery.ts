import type { OrderRecord } from "#domain/order";
import type { IssuedTicket, MintMessage, PaymentNews } from "#domain/order-messages";
import type { Recall } from "#domain/order-money";
import { issuedTicketsOf } from "#domain/order-tickets";
import { assertInvariant } from "#domain/result";
import type { Logger } from "#platform/logger";
import type { EventMessage } from "#domain/webhook-delivery";
import { projectDeskNews, type RecalledTickets, type RecordedPaymentEvent } from "#storage/desk-projection";
import type { OutboxMessage, OutboxRow } from "../outbox.ts";

/** Messages one `sendBatch` may carry (Cloudflare Queues). */
const QUEUE_BATCH = 100;
/** Tickets of one transaction, unless one order has more: an order may have thousands, and D1 and the desk do nothing else meanwhile. */
const TICKETS_AT_ONCE = 1_000;

/** What an order's message says; its state is read when it is told, so the latest is. */
interface OrderNews {
  readonly orderId: string;
  /** True for the change that made the order, and for the one that made its tickets. */
  readonly isNew: boolean;
  readonly isIssued: boolean;
  /** The tickets that died with this change; left out when none did. */
  readonly recalled?: Pick<Recall, "ticketIds" | "cause">;
  /** When the change was made, Unix milliseconds. */
  readonly atMs: number;
}

/** What a message says of its event that was written before messages said it. */
const OF_FIRST_VERSION = { rawType: null, reason: null, attempts: 1 };

/** Tells that an order is in a new state. */
export function orderMessage(news: OrderNews): OutboxMessage {
  return { topic: "order", body: news };
}

/** Tells of a payment event and what became of it; again when that changes. */
export function paymentEventMessage(
  news: PaymentNews,
  known: Pick<RecordedPaymentEvent, "tenantId" | "outcome" | "attempts" | "receivedAtMs">,
): OutboxMessage {
  const { provider, eventId, orderId, type, rawType, reason, occurredAtMs } = news;
  const body: RecordedPaymentEvent = { provider, eventId, orderId, type, rawType, reason, occurredAtMs, ...known };
  return { topic: "payment_event", body };
}

/** When the change that a message tells of was made, Unix milliseconds; null for one that does not say. */
export function readChangedAtMs({ body }: OutboxRow): number | null {
  const { atMs, receivedAtMs } = JSON.parse(body) as Partial<OrderNews & RecordedPaymentEvent>; // one of the two messages above
  return atMs ?? receivedAtMs ?? null;
}

/** What a delivery reaches. */
export interface DeliveryReach {
  listOrders(orderIds: readonly string[]): readonly OrderRecord[];
  readonly db: D1Database;
  readonly mintQueue: Queue<MintMessage>;
  readonly eventQueue: Pick<Queue<EventMessage>, "send">;
  readonly logger: Logger;
}

/**
 * Delivers a desk's messages: first D1, in one transaction, then the mint queue, so that a queued ticket has its row. Messages of
 * very many tickets go in halves, one after the other.
 * A queue that is down holds nothing up: the mint job in D1 is the durable intent, and the cron sends what was never picked up.
 * @throws when D1 cannot be reached or refuses; all of it may be delivered again.
 */
export async function deliverDeskNews(reach: DeliveryReach, rows: readonly OutboxRow[], nowMs: number): Promise<void> {
  const changedIds = new Set<string>();
  const newIds = new Set<string>();
  const issuedIds = new Set<string>();
  const paymentEvents: RecordedPaymentEvent[] = [];
  const recalled: OrderNews[] = [];
  for (const row of rows) {
    const body: unknown = JSON.parse(row.body);
    if (row.topic === "payment_event") {
      paymentEvents.push({ ...OF_FIRST_VERSION, ...(body as RecordedPaymentEvent) }); // written by paymentEventMessage
      continue;
    }
    const news = body as OrderNews; // written by orderMessage
    changedIds.add(news.orderId);
    if (news.isNew) newIds.add(news.orderId);
    if (news.isIssued) issuedIds.add(news.orderId);
    if (news.recalled) recalled.push(news);
  }
  const orders = reach.listOrders([...changedIds]);
  assertInvariant(orders.length === changedIds.size, "a desk keeps every order that it has not told of");
  const issued = orders.filter((record) => issuedIds.has(record.view.id));
  if (rows.length > 1 && countTickets(issued, recalled) > TICKETS_AT_ONCE) {
    const middle = Math.ceil(rows.length / 2);
    await deliverDeskNews(reach, rows.slice(0, middle), nowMs);
    return deliverDeskNews(reach, rows.slice(middle), nowMs);
  }
  const newOrders = orders.filter((record) => newIds.has(record.view.id));
  const tickets = issued.flatMap(issuedTicketsOf);
  const recalls = recalled.flatMap((news) => toRecalls(orders, news));
  const hasEvents = await projectDeskNews(reach.db, { orders, newOrders, tickets, recalls, paymentEvents }, nowMs);
  await queueMints(reach, tickets);
  if (hasEvents) await announce(reach);
}

function countTickets(issued: readonly OrderRecord[], recalled: readonly OrderNews[]): number {
  const lines = issued.flatMap(({ view }) => view.lines);
  const deadCount = recalled.reduce((sum, news) => sum + (news.recalled?.ticketIds.length ?? 0), 0);
  return lines.reduce((sum, { quantity }) => sum + quantity, deadCount);
}

/** Best effort: without it the cron announces the events within a minute. */
async function announce({ eventQueue, logger }: DeliveryReach): Promise<void> {
  try {
    await eventQueue.send({ endpointId: null });
  } catch (error) {
    logger.warn("the event queue did not take a message, the cron will announce what is new", { error });
  }
}

function toRecalls(orders: readonly OrderRecord[], { orderId, recalled, atMs }: OrderNews): RecalledTickets[] {
  const order = orders.find((record) => record.view.id === orderId);
  if (!order || !recalled) return [];
  const { tenantId, eventId } = order.view;
  return [{ tenantId, orderId, eventId, ...recalled, recalledAtMs: atMs }];
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
