import { deskNumberOf } from "#domain/ids";
import type { OrderView, RefundCommand } from "#domain/order-messages";
import { ticketIdOf } from "#domain/order-tickets";
import { makeRequest } from "./make-request.ts";
import type { Payments } from "./payments.ts";
import { insist, pause, type Stage } from "./stage.ts";

/** Tries of a manager: nobody goes home while a ticket may still let somebody in. */
const PATIENCE = 12;
/** How long after a visit something goes wrong with its order at most, and how long a bank thinks, ms. */
const LATEST_MS = 60_000;
const LONGEST_DISPUTE_MS = 120_000;

/** What may come after a sale: managers who pay tickets back, refunds made at the provider, disputes. */
export class Setbacks {
  readonly #stage: Stage;
  readonly #payments: Payments;

  constructor(stage: Stage, payments: Payments) {
    this.#stage = stage;
    this.#payments = payments;
  }

  /** Sometimes one or two of them befall the order; paid or not, for a manager may try. */
  async befall(order: OrderView): Promise<void> {
    const { random } = this.#stage.world;
    if (!random.chance(0.25)) return;
    const times = random.between(1, 2);
    await Promise.all(Array.from({ length: times }, () => this.#befallOnce(order)));
  }

  async #befallOnce(order: OrderView): Promise<void> {
    const { random } = this.#stage.world;
    await pause(this.#stage, random.between(0, LATEST_MS));
    const draw = random.next();
    if (draw < 0.6) await this.#refund(order);
    else if (draw < 0.75) this.#payments.giveBackOutside(order);
    else {
      await this.#payments.dispute(order, random.between(0, LONGEST_DISPUTE_MS));
      // Of a part that was lost the manager says for which tickets.
      await pause(this.#stage, random.between(0, LATEST_MS));
      if (random.chance(0.5)) await this.#refund(order);
    }
  }

  /** Two managers may do so at once. */
  async #refund(order: OrderView): Promise<void> {
    const { world } = this.#stage;
    const all = order.lines.flatMap(({ lineNumber, quantity }) =>
      Array.from({ length: quantity }, (_, position) => ticketIdOf(order.id, lineNumber, position)),
    );
    const some = all.filter(() => world.random.chance(0.5));
    const ticketIds = world.random.chance(0.4) || some.length === 0 ? null : some;
    const restock = world.random.chance(0.8);
    const request = makeRequest(this.#stage, `manager-${world.random.between(1, 3)}`, "refund", { ticketIds, restock });
    const command: RefundCommand = { request, orderId: order.id, ticketIds, reason: "rain", restock, statusInD1: null };
    await this.#ask(command);
    if (world.random.chance(0.2)) await this.#ask(command);
  }

  async #ask(command: RefundCommand): Promise<void> {
    const { world, worker, desks, gate, promises } = this.#stage;
    const { orderId, ticketIds } = command;
    await insist(this.#stage, PATIENCE, async () => {
      world.count("request");
      const answer = await desks.get(deskNumberOf(orderId))?.call(worker, "refund", [command]);
      if (!answer) throw new Error(`no desk for ${orderId}`);
      world.saw(`answer to a refund: ${answer.ok ? "made" : answer.failure.code}`);
      if (!answer.ok && answer.failure.code === "overloaded") throw new Error("the gate is away");
      if (!answer.ok) return;
      const alive = (ticketIds ?? []).filter((ticketId) => !gate.dead.has(ticketId));
      world.require(alive.length === 0, () => `ticket ${alive[0]} was paid back, and the gate admits it`);
      promises.saw(orderId, answer.value, 0);
      for (const ticketId of ticketIds ?? []) promises.dead.add(ticketId);
    });
  }
}
