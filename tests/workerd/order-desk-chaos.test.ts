import { expect, it, vi } from "vitest";
import type { PaymentNews } from "#domain/order-messages";
import { inDeskWorld, type DeskWorld, type TestDesk } from "../support/desk-world.ts";

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const STEPS = 60;
const FAULTS = 0.12;

/** Buyers, a provider and the alarm do what they like to one desk whose calls fail and which dies at some of them. */
class Chaos {
  readonly #world: DeskWorld;
  readonly #random: () => number;
  #desk: TestDesk;
  #made = 0;
  readonly #orderIds = new Set<string>();
  /** Every payment of which the provider has told. */
  readonly payments: PaymentNews[] = [];

  constructor(world: DeskWorld, random: () => number) {
    this.#world = world;
    this.#random = random;
    this.#desk = world.openDesk();
  }

  get desk(): TestDesk {
    return this.#desk;
  }

  async play(): Promise<void> {
    this.#world.fault = () =>
      this.#pick(["ok", "ok", ...(this.#random() < 3 * FAULTS ? (["fails", "dies_before", "dies_after"] as const) : [])]);
    for (let step = 0; step < STEPS; step += 1) {
      const acts = Array.from({ length: 1 + Math.floor(3 * this.#random()) }, () => this.#act());
      const survived = await this.#world.untilDeath(() => Promise.allSettled(acts.map((act) => act())));
      if (!survived || this.#random() < 0.1) this.#desk = this.#world.openDesk();
      if (this.#random() < 0.3) vi.setSystemTime(Date.now() + Math.floor(400_000 * this.#random()));
    }
    this.#world.fault = () => "ok";
    this.#desk = this.#world.openDesk();
    for (const news of this.payments) await this.#desk.settle(news); // a provider tells until it is heard
    await this.#world.settleDown(this.#desk, 100);
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }

  #act(): () => Promise<unknown> {
    const kind = this.#pick(["buy", "buy", "hold", "pay", "pay", "pay", "cancel", "alarm"] as const);
    const orderId = this.#orderIds.size > 0 ? this.#pick([...this.#orderIds]) : undefined;
    if (kind === "alarm") return () => this.#desk.alarm();
    if (kind === "buy" || kind === "hold" || orderId === undefined) return () => this.#buy(kind === "hold");
    if (kind === "pay") return () => this.#pay(orderId);
    const request = this.#world.request(this.#pick(["a", "b"]) + orderId, "", "cancel");
    return () => this.#desk.cancel({ request, orderId });
  }

  /** A new purchase or an old one again, of one or both types, perhaps over a hold of its own. */
  async #buy(overHold: boolean): Promise<void> {
    if (this.#random() < 0.7) this.#made += 1;
    const world = this.#world;
    const key = `${overHold ? "hold" : "buy"}-${this.#made}`;
    const [one = "", two = ""] = world.ticketTypeIds;
    const lines =
      this.#made % 2 === 0
        ? [{ ticketTypeId: one, quantity: 1 }]
        : [one, two].map((ticketTypeId) => ({ ticketTypeId, quantity: 2 }));
    const command = world.place(key, lines);
    this.#orderIds.add(command.request.requestId);
    if (!overHold) return void (await this.#desk.place(command));
    const hold = await this.#desk.hold({ request: world.request(key, "", "hold"), eventId: world.eventId, lines });
    if (!hold.ok) return;
    if (this.#random() < 0.2) await this.#desk.releaseHold(world.tenantId, world.userId, hold.value.id);
    await this.#desk.place({ ...command, reservationId: hold.value.id });
  }

  /** The provider tells of a payment: a new one, perhaps of a wrong amount, or again of one it told of. */
  async #pay(orderId: string): Promise<void> {
    const order = await this.#desk.findOrder(this.#world.tenantId, orderId);
    if (!order) return;
    const amountCents = this.#random() < 0.15 ? 7 : order.totalCents;
    const known = this.payments.filter((news) => news.orderId === orderId);
    const news =
      known.length > 0 && this.#random() < 0.6
        ? { ...this.#pick(known), ...(this.#random() < 0.5 ? { eventId: crypto.randomUUID() } : {}) }
        : this.#world.news(orderId, { amountCents, paymentId: `pay-${this.payments.length}-${orderId}` });
    if (!known.some((other) => other.paymentId === news.paymentId)) this.payments.push(news);
    await this.#desk.settle(news);
  }
}

/** Compares what the buyer has, what the inventories sold, what the provider keeps and what D1 knows. */
async function audit(world: DeskWorld, chaos: Chaos): Promise<void> {
  const orders = (await chaos.desk.listRecentOrders(world.tenantId, world.userId)).map((order) => order.id);
  expect(world.rows("SELECT COUNT(*) AS n FROM orders")).toEqual([{ n: orders.length }]);
  const views = await Promise.all(orders.map((id) => chaos.desk.findOrder(world.tenantId, id)));
  const tickets = (await Promise.all(orders.map((id) => chaos.desk.listTicketsOfOrder(world.tenantId, id)))).flat();
  for (const ticketTypeId of world.ticketTypeIds) {
    expect(world.stock(ticketTypeId).soldCount).toBe(tickets.filter((ticket) => ticket.ticketTypeId === ticketTypeId).length);
  }
  const stored = await world.listRows("SELECT id FROM tickets WHERE tenant_id = ?", world.tenantId);
  expect(stored.map((row) => String(row["id"])).toSorted()).toEqual(tickets.map((ticket) => ticket.id).toSorted());
  const rows = await world.listRows("SELECT id, status, order_number FROM orders WHERE tenant_id = ?", world.tenantId);
  expect(new Map(rows.map((row) => [row["id"], row["status"]]))).toEqual(
    new Map(views.map((view) => [view?.id, view?.status])),
  );
  expect(new Set(rows.map((row) => row["order_number"])).size).toBe(orders.length);
  const paidCents = chaos.payments.reduce((sum, news) => sum + news.amountCents, 0);
  const refundedCents = [...world.refunds.values()].reduce((sum, refund) => sum + refund.amountCents, 0);
  const boughtCents = views.reduce((sum, view) => sum + (view && view.paidAtMs !== null ? view.totalCents : 0), 0);
  expect(paidCents - refundedCents).toBe(boughtCents);
  const refunded = [...world.refunds.values()].map((refund) => refund.paymentId);
  expect(new Set(refunded).size).toBe(refunded.length);
}

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed + 1);

it.each(SEEDS)("tickets, stock, money and D1 agree after chaos with seed %d", { timeout: 30_000 }, (seed) =>
  inDeskWorld(async (world) => {
    for (const capacity of [6, 5]) await world.addType(capacity);
    const chaos = new Chaos(world, makeRandom(seed));
    await chaos.play();
    await audit(world, chaos);
  }),
);
