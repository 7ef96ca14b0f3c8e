import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { runSql, type BenchWorld } from "./bench-world.ts";
import type { LoadPlan } from "./load-plan.ts";
import { runLoad } from "./run-load.ts";

/** How long D1 may take to hear of the orders that a load needs. */
const LONGEST_LAG_MS = 30_000;
const LOOK_EVERY_MS = 100;

const NEW_ORDERS = `
  SELECT orders.id, orders.total_cents AS amountCents, payments.payment_id AS paymentId
  FROM orders JOIN payments ON payments.created_at_ms = orders.created_at_ms AND payments.order_id = orders.id
  WHERE orders.tenant_id = ?1 AND orders.status = 'PENDING' AND orders.created_at_ms >= ?2 LIMIT ?3`;

const COUNT_PAID = "SELECT COUNT(*) AS paid FROM orders WHERE tenant_id = ?1 AND status = 'AWAITING_MINT'";

interface NewOrder {
  readonly id: string;
  readonly amountCents: number;
  readonly paymentId: string;
}

/** Requests that each pay one order: the headers of one belong to the body of the same position. */
export interface WebhookRequests {
  readonly headers: readonly string[];
  readonly bodies: readonly string[];
}

/**
 * Places new orders as `purchases` says, and signs the event that each is paid, as its provider would.
 * @param purchases a load with one body for each order.
 * @param secret the newest of `PAYMENT_WEBHOOK_SECRETS`. The signatures are good for five minutes.
 */
export async function prepareWebhooks(world: BenchWorld, purchases: LoadPlan, secret: string): Promise<WebhookRequests> {
  const sinceMs = Date.now();
  const outcome = await runLoad(purchases);
  if (outcome.wrong > 0) throw new Error(`an order to be paid was not placed: ${outcome.firstWrong}`);
  const signed = (await waitForOrders(world, sinceMs, outcome.sent)).map((order) => signPaid(order, secret));
  return { headers: signed.map(({ headers }) => headers), bodies: signed.map(({ body }) => body) };
}

async function waitForOrders(world: BenchWorld, sinceMs: number, count: number): Promise<readonly NewOrder[]> {
  const endsAtMs = performance.now() + LONGEST_LAG_MS;
  while (performance.now() < endsAtMs) {
    const orders = await runSql(world, NEW_ORDERS, [world.tenantId, sinceMs, count]);
    if (orders.length === count) return orders as NewOrder[]; // the statement's columns
    await wait(LOOK_EVERY_MS);
  }
  throw new Error("D1 did not hear of the orders to be paid");
}

function signPaid({ id, amountCents, paymentId }: NewOrder, secret: string): { headers: string; body: string } {
  const data = { paymentId, orderId: id, amountCents, currency: "EUR" };
  const body = JSON.stringify({ type: "payment.succeeded", timestamp: new Date().toISOString(), data });
  const eventId = `evt_${randomUUID()}`;
  const atSeconds = Math.floor(Date.now() / 1000);
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${eventId}.${atSeconds}.${body}`).digest("base64");
  const headers = `webhook-id: ${eventId}\r\nwebhook-timestamp: ${atSeconds}\r\nwebhook-signature: v1,${signature}`;
  return { headers, body };
}

/** Orders of the benchmark's tenant that are paid and have their tickets, as D1 shows it. */
export async function countPaid(world: BenchWorld): Promise<number> {
  const [row] = await runSql(world, COUNT_PAID, [world.tenantId]);
  return (row as { paid: number }).paid; // the statement's one column
}
