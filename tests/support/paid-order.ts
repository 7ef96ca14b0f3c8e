import type { IssuedTicket, PaymentNews, RefundCommand } from "#domain/order-messages";
import type { DeskWorld, TestDesk } from "./desk-world.ts";

/** An order of tickets of the world's types at 10.00 each, not paid yet. @returns its id. */
export async function placeOrder(
  world: DeskWorld,
  desk: TestDesk,
  quantities: readonly number[],
  key = "key",
): Promise<string> {
  const lines = quantities.map((quantity, position) => ({ ticketTypeId: world.ticketTypeIds[position] ?? "", quantity }));
  const placed = await desk.place(world.place(key, lines));
  if (!placed.ok) throw new Error(placed.failure.code);
  await desk.attachPayment(world.tenantId, placed.value.id, world.payment(placed.value.id));
  return placed.value.id;
}

/** A paid order, its tickets and its payment's event. */
export interface PaidOrder {
  readonly orderId: string;
  readonly ticketIds: readonly string[];
  readonly paid: PaymentNews;
}

/** An order of tickets at 10.00 each, paid. */
export async function payOrder(
  world: DeskWorld,
  desk: TestDesk,
  quantities: readonly number[],
  key = "key",
): Promise<PaidOrder> {
  const orderId = await placeOrder(world, desk, quantities, key);
  const amountCents = quantities.reduce((sum, quantity) => sum + quantity * 1_000, 0);
  const paid = world.news(orderId, { amountCents });
  await desk.settle(paid);
  const tickets = await desk.listTicketsOfOrder(world.tenantId, orderId);
  return { orderId, ticketIds: tickets.map((ticket) => ticket.id), paid };
}

/** An organiser's wish to pay tickets of the order back. */
export function refundOf(
  world: DeskWorld,
  orderId: string,
  key: string,
  changes: Partial<Pick<RefundCommand, "ticketIds" | "restock">> = {},
): RefundCommand {
  const request = { ...world.request(key, JSON.stringify(changes), "refund"), userId: "organiser" };
  return { request, orderId, ticketIds: null, reason: "rain", restock: true, statusInD1: null, ...changes };
}

/** How an order stands everywhere: at its desk, at the gate, at the inventories, at the provider and in D1, all of it at rest. */
export async function standingOf(
  world: DeskWorld,
  desk: TestDesk,
  orderId: string,
): Promise<{
  readonly status: string | undefined;
  readonly payment: string | undefined;
  readonly refundedCents: number | undefined;
  readonly living: number;
  readonly deadAtGate: number;
  readonly blocked: number;
  readonly askedCents: number;
  readonly sold: readonly number[];
}> {
  await world.settleDown(desk);
  const order = await desk.findOrder(world.tenantId, orderId);
  const tickets: readonly IssuedTicket[] = await desk.listTicketsOfOrder(world.tenantId, orderId);
  return {
    status: order?.status,
    payment: order?.payment?.status,
    refundedCents: order?.refundedCents,
    living: tickets.filter((ticket) => ticket.status === "SOLD").length,
    deadAtGate: world.gate.dead.size,
    blocked: world.gate.blocked.size,
    askedCents: [...world.refunds.values()].reduce((sum, refund) => sum + refund.amountCents, 0),
    sold: [...world.inventories.keys()].map((name) => world.stock(name).soldCount),
  };
}
