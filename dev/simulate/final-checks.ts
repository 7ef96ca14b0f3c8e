import { deskNumberOf } from "#domain/ids";
import { holdsOf, seatsOf } from "#domain/order-holds";
import type { OrderRecord } from "#domain/order";
import { ticketsOf } from "#domain/order-tickets";
import { ticketSharesOf } from "#domain/ticket-shares";
import { goneCentsOf } from "./payment-book.ts";
import type { SimulatedChain } from "./simulated-chain.ts";
import type { Row } from "./sqlite-connection.ts";
import { listStocks, stockOf, type DeskHost, type InventoryHost, type Stage } from "./stage.ts";
import type { Surroundings } from "./surroundings.ts";

/** A mint is over when it is done, or when its ticket was cancelled first. */
const IS_UNDER_WAY = `status <> 'MINTED' AND NOT (status = 'FAILED' AND ticket_id IN (SELECT id FROM tickets WHERE status = 'CANCELLED'))`;

/** True when nothing is left to do: every hold has ended, every desk is done, and D1 has been told everything. */
export function isAtRest(stage: Stage): boolean {
  const { desks, d1 } = stage;
  if (d1.run(`SELECT 1 FROM mint_jobs WHERE ${IS_UNDER_WAY} LIMIT 1`).length > 0) return false;
  const stocks = listStocks(stage);
  const hosts: (DeskHost | InventoryHost)[] = [...desks.values(), ...stocks.map(({ host }) => host)];
  if (hosts.some(({ disk }) => disk.isDirty || disk.database.run("SELECT 1 FROM outbox LIMIT 1").rows.length > 0)) return false;
  for (const { disk } of desks.values()) {
    if (disk.database.run("SELECT 1 FROM orders WHERE due_at_ms IS NOT NULL LIMIT 1").rows.length > 0) return false;
  }
  return stocks.every(({ model }) => [...model.lines.values()].every((line) => line.status !== "ACTIVE"));
}

/** Checks a world at rest: stock, money, promises, and that D1 says what the objects say. */
export function checkAtRest(stage: Stage, chain: SimulatedChain): void {
  checkStock(stage);
  checkHoldTimes(stage);
  checkMoney(stage);
  checkGate(stage);
  checkPromises(stage);
  checkD1Stock(stage);
  checkD1Orders(stage);
  checkEvents(stage);
  checkMints(stage, chain);
}

function checkStock(stage: Stage): void {
  const { world, orders } = stage;
  const sold = new Map<string, number>();
  for (const record of orders.orders.values()) {
    if (!orders.isIssued(record.view.id)) continue;
    const restocked = (record.recalled ?? []).filter((ticketId) => orders.restocked.has(ticketId));
    const back = seatsOf(record, restocked).map(({ stockName, quantity }) => ({ stockName, quantity: -quantity }));
    for (const { stockName, quantity } of [...holdsOf(record), ...back]) {
      sold.set(stockName, (sold.get(stockName) ?? 0) + quantity);
    }
  }
  for (const { stockName, host, model } of listStocks(stage)) {
    world.require(model.heldCount === 0, () => `${host.name} holds ${model.heldCount} after every hold has ended`);
    for (const [reservationId, line] of model.lines) {
      const isSold = line.status === "COMPLETED" && line.restocked < line.quantity;
      world.require(!isSold || orders.isIssued(line.orderId ?? ""), () => `${host.name} sold ${reservationId} to nobody`);
    }
    const issued = sold.get(stockName) ?? 0;
    world.require(model.soldCount === issued, () => `${host.name} sold ${model.soldCount}, and ${issued} were issued`);
  }
}

/** All lines of a basket are held for the same time, unless the organiser changed one of their types meanwhile. */
function checkHoldTimes({ world, types }: Stage): void {
  const steady = types.filter(({ model }) => model.holdTimes.size === 1);
  const heldMs = new Map<string, number>();
  for (const { host, model } of steady) {
    for (const [reservationId, line] of model.lines) {
      const ms = line.expiresAtMs - line.heldAtMs;
      const otherMs = heldMs.get(reservationId);
      if (otherMs !== undefined) world.saw("a basket of several types");
      world.require((otherMs ?? ms) === ms, () => `${host.name} held ${reservationId} for ${ms} ms, another for ${otherMs}`);
      heldMs.set(reservationId, ms);
    }
  }
}

/**
 * Every payment that came bought tickets or went back, as far as the provider could, and never both of itself; what went back
 * of an order's payment is what its provider says.
 */
function checkMoney({ world, payments, orders }: Stage): void {
  for (const payment of payments.payments.values()) {
    if (!payment.captured) continue;
    const order = orders.orders.get(payment.orderId);
    const hasBought = order?.paidBy?.paymentId === payment.paymentId;
    const goneCents = goneCentsOf(payment);
    const hasFailed = [...payment.refunds.values()].some(({ isTaken }) => !isTaken);
    const { paymentId, amountCents } = payment;
    if (hasBought) {
      const bookedCents = order.view.refundedCents;
      world.require(bookedCents === goneCents, () => `of payment ${paymentId} ${goneCents} went back, not ${bookedCents}`);
    } else world.require(goneCents === amountCents || hasFailed, () => `payment ${paymentId} is lost`);
  }
}

/** What banks took of the order's payment beyond what the tickets have cost that it was for. */
function unnamedCentsOf({ view, refunds, paidBy }: OrderRecord): number {
  const losses = refunds.filter(({ reason, paymentId }) => reason === "dispute_lost" && paymentId === paidBy?.paymentId);
  const named = losses.flatMap(({ ticketIds }) => ticketIds);
  const costs = new Map(ticketSharesOf(view).map(({ ticketId, amountCents }) => [ticketId, amountCents]));
  const lostCents = losses.reduce((sum, { amountCents }) => sum + amountCents, 0);
  return lostCents - named.reduce((sum, ticketId) => sum + (costs.get(ticketId) ?? 0), 0);
}

/** The gate admits the tickets that are alive and not kept out by a dispute, and nothing waits any more. */
function checkGate({ world, orders, gate }: Stage): void {
  for (const record of orders.orders.values()) {
    const isOpen = record.disputes?.some(({ status }) => status === "opened") ?? false;
    const isKeptOut = isOpen || unnamedCentsOf(record) > 0;
    if (!isOpen && isKeptOut && record.view.status !== "REFUNDED") world.saw("tickets kept out after a dispute");
    for (const { id, status } of ticketsOf(record)) {
      world.require(gate.admits(id) === (status === "SOLD" && !isKeptOut), () => `ticket ${id} is ${status}, the gate differs`);
    }
    world.require(record.waiting === undefined, () => `events still wait for order ${record.view.id}`);
  }
}

function checkPromises(stage: Stage): void {
  const { world, promises, orders } = stage;
  for (const [orderId, promised] of promises.orders) {
    const order = orders.orders.get(orderId);
    world.require(order?.view.orderNumber === promised.orderNumber, () => `order ${orderId} was acknowledged and is gone`);
    if (order) promises.saw(orderId, order.view, promises.rankSeen(orderId));
  }
  for (const [eventId, orderId] of promises.events) requireRow(stage, "payment_events", "event_id", eventId, orderId);
  for (const orderId of promises.cancelled) {
    const status = orders.orders.get(orderId)?.view.status;
    world.require(status === "CANCELLED", () => `order ${orderId} was cancelled and is ${status}`);
  }
  for (const [holdId, hold] of promises.holds) {
    requireRow(stage, "holds", "reservation_id", holdId, holdId);
    for (const { ticketTypeId } of hold.lines) {
      const line = stockOf(stage, ticketTypeId).model.lines.get(holdId);
      world.require(line !== undefined, () => `hold ${holdId} was acknowledged and is gone`);
      const isGivenBack = line?.status === "CANCELLED" || line?.status === "EXPIRED";
      world.require(
        !promises.released.has(holdId) || isGivenBack,
        () => `hold ${holdId} was given back and is ${line?.status}`,
      );
    }
  }
}

/** The desk that `ownerId` names keeps what it acknowledged. */
function requireRow({ world, desks }: Stage, table: string, column: string, id: string, ownerId: string): void {
  const rows = desks.get(deskNumberOf(ownerId))?.disk.database.run(`SELECT 1 FROM ${table} WHERE ${column} = ?`, [id]).rows;
  world.require(rows?.length === 1, () => `${id} was acknowledged, and its desk has it not in ${table}`);
}

function checkD1Stock({ world, types, codes, d1 }: Stage): void {
  for (const { discount, stocks } of codes) {
    const [row] = d1.run(
      "SELECT used_count, held_count, first_used_count, first_held_count FROM discounts WHERE id = ?",
      discount.id,
    );
    const used = (cap: string): number => stocks.find(({ model }) => model.config?.discount?.cap === cap)?.model.soldCount ?? 0;
    const due = JSON.stringify([used("uses"), 0, used("first_tickets"), 0]);
    world.require(toText(row ?? {}) === due, () => `D1 counts ${toText(row ?? {})} of ${discount.code}, not ${due}`);
  }
  for (const { stockName: ticketTypeId, host, model } of types) {
    const rows = d1.run(
      `SELECT seq, reservation_id, status, quantity, actor, cause, at_ms FROM reservation_history WHERE ticket_type_id = ? ORDER BY seq`,
      ticketTypeId,
    );
    compare(world, `the history of ${host.name}`, rows.map(toText), model.history);
    const reservations = d1.run(
      "SELECT id, status, quantity FROM reservations WHERE ticket_type_id = ? ORDER BY id",
      ticketTypeId,
    );
    const known = [...model.lines].map(([id, line]) => JSON.stringify([id, line.status, line.quantity])).toSorted(byText);
    compare(world, `the reservations of ${host.name}`, reservations.map(toText), known);
    const [counters] = d1.run("SELECT quantity, held_count, sold_count FROM ticket_types WHERE id = ?", ticketTypeId);
    const stock = JSON.stringify([model.config?.capacity, 0, model.soldCount]);
    world.require(toText(counters ?? {}) === stock, () => `D1 counts ${toText(counters ?? {})} of ${host.name}, not ${stock}`);
  }
}

/** Whoever holds a ticket that is alive has its leaf, once; what D1 says of the mints is what the chain has. */
function checkMints({ world, d1, orders }: Stage, chain: SimulatedChain): void {
  const leaves = [...chain.leaves].map(([ticketId, count]) => JSON.stringify([ticketId, count])).toSorted(byText);
  const minted = d1.run("SELECT ticket_id, 1 AS leaves FROM mint_jobs WHERE status = 'MINTED' ORDER BY 1").map(toText);
  compare(world, "mints", leaves, minted);
  for (const { id, status } of [...orders.orders.values()].flatMap(ticketsOf)) {
    world.require(status === "CANCELLED" || chain.leaves.has(id), () => `ticket ${id} is alive and was never minted`);
  }
}

/** What is told to the tenant, who wants to hear all: each paid order, each minted and each dead ticket, once. */
function checkEvents({ world, d1, orders }: Stage): void {
  const records = [...orders.orders.values()].toSorted((one, other) => byText(one.view.id, other.view.id));
  const same = (topic: string, id: string, due: readonly string[]): void => {
    const told = d1.run(`SELECT body ->> '${id}' FROM outbox WHERE topic = '${topic}' ORDER BY 1`).map(toText);
    compare(world, `news of ${topic}`, told, due);
  };
  const paid = records.filter(({ view }) => view.paidAtMs !== null).map(({ view }) => JSON.stringify([view.id]));
  same("order.paid", "orderId", paid);
  const dead = records.flatMap(({ recalled = [] }) => recalled.map((ticketId) => JSON.stringify([ticketId]))).toSorted(byText);
  same("ticket.canceled", "ticketId", dead);
  same("ticket.minted", "ticketId", d1.run("SELECT ticket_id FROM mint_jobs WHERE status = 'MINTED' ORDER BY 1").map(toText));
}

function checkD1Orders({ world, d1, orders, promises }: Stage): void {
  const records = [...orders.orders.values()].toSorted((one, other) => byText(one.view.id, other.view.id));
  const list = (sql: string): string[] => d1.run(sql).map(toText);
  const same = (what: string, found: readonly string[], due: readonly string[]): void => compare(world, what, found, due);
  same(
    "orders",
    list("SELECT id, order_number, status, total_cents, seq FROM orders ORDER BY id"),
    records.map(({ view, version }) => {
      // The desk does not hear of the mints, which are done by now.
      const status = view.status === "AWAITING_MINT" ? "COMPLETED" : view.status;
      return JSON.stringify([view.id, view.orderNumber, status, view.totalCents, version]);
    }),
  );
  same(
    "lines",
    list("SELECT order_id, line_number, quantity, total_cents FROM order_items ORDER BY order_id, line_number"),
    records.flatMap(({ view }) =>
      view.lines.map((line) => JSON.stringify([view.id, line.lineNumber, line.quantity, line.totalCents])),
    ),
  );
  same(
    "discounts",
    list("SELECT order_id, line_number, discount_id, amount_cents FROM order_discounts ORDER BY 1, 2, 3"),
    records
      .flatMap(({ view, discounts = [] }) =>
        discounts.flatMap(({ discountId, lines }) =>
          lines.map(({ lineNumber, amountCents }) => JSON.stringify([view.id, lineNumber, discountId, amountCents])),
        ),
      )
      .toSorted(byText),
  );
  const tickets = records.flatMap(ticketsOf).map((ticket) => ticket.id);
  same(
    "tickets",
    list("SELECT id, status FROM tickets ORDER BY id"),
    records.flatMap((record) => ticketsOf(record).map(({ id, status }) => JSON.stringify([id, status]))).toSorted(byText),
  );
  const dead = records.flatMap(({ recalled = [] }) => recalled.map((ticketId) => JSON.stringify([ticketId]))).toSorted(byText);
  same("burns", list("SELECT ticket_id FROM asset_burns ORDER BY 1"), dead);
  same(
    "mint jobs",
    list("SELECT ticket_id FROM mint_jobs ORDER BY 1"),
    tickets.map((id) => JSON.stringify([id])).toSorted(byText),
  );
  same(
    "refunds",
    list("SELECT id, status, amount_cents FROM refunds ORDER BY id"),
    records
      .flatMap(({ refunds }) => refunds.map(({ id, status, amountCents }) => JSON.stringify([id, status, amountCents])))
      .toSorted(byText),
  );
  const payments = new Map(d1.run("SELECT payment_id, status FROM payments").map((row) => [row["payment_id"], row["status"]]));
  for (const { view } of records) {
    const status = view.payment && payments.get(view.payment.paymentId);
    world.require(
      status === (view.payment?.status ?? null),
      () => `in D1 the payment of order ${view.id} is ${String(status)}`,
    );
  }
  const events = new Set(d1.run("SELECT event_id FROM payment_events").map((row) => String(row["event_id"])));
  for (const eventId of promises.events.keys()) world.require(events.has(eventId), () => `event ${eventId} is not in D1`);
  const wrongTotals = d1.run(`SELECT orders.id FROM orders JOIN order_items ON order_id = orders.id GROUP BY orders.id
    HAVING SUM(order_items.total_cents) <> orders.total_cents`);
  world.require(wrongTotals.length === 0, () => `in D1 the lines of ${wrongTotals.length} orders are not their totals`);
}

function compare(world: Surroundings, what: string, found: readonly string[], due: readonly string[]): void {
  const position = found.findIndex((text, at) => text !== due[at]);
  if (position < 0 && found.length === due.length) return;
  const at = position < 0 ? found.length : position;
  world.fail(
    `D1 and the objects differ in ${what} at ${at} (${found.length} and ${due.length} rows): ${found[at]} and ${due[at]}`,
  );
}

function byText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function toText(row: Row): string {
  return JSON.stringify(Object.values(row));
}
