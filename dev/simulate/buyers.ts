import type { Discount } from "#domain/discount";
import { deskNumberOf, hashParts } from "#domain/ids";
import { sharedHoldTimeOf } from "#domain/order-holds";
import type { BasketLine, HoldCommand, HoldView, OrderView, PlaceCommand, SharedHoldTime } from "#domain/order-messages";
import { priceOrder, type PricedOrder } from "#domain/price-order";
import { makeRequest } from "./make-request.ts";
import type { Payments } from "./payments.ts";
import type { Setbacks } from "./setbacks.ts";
import { CURRENCY, insist, pause, stockOf, type DeskHost, type Stage } from "./stage.ts";

/** How many people there are: few enough that some come again and meet their own limit. */
const USERS = 200;
const MOST_LINES = 3;
const MOST_TICKETS = 4;
/** How long before a hold ends a payment is made that shall arrive as it ends, ms. */
const AIM_MS = 20;
/** Buyers who choose among what the page shows as available. */
const READ_THE_PAGE = 0.8;
/** Purchases in which codes are tried. */
const WITH_CODES = 0.5;
/** Tries of a buyer before they give up. */
const PATIENCE = 5;

/** The buyers: each visit takes one way through the shop, with double clicks, repeats and changes of mind. */
export class Buyers {
  readonly #stage: Stage;
  readonly #payments: Payments;
  readonly #setbacks: Setbacks;

  constructor(stage: Stage, payments: Payments, setbacks: Setbacks) {
    this.#stage = stage;
    this.#payments = payments;
    this.#setbacks = setbacks;
  }

  /** One visit, from the first click to the last. */
  async visit(): Promise<void> {
    const { random } = this.#stage.world;
    const userId = `user-${random.between(1, USERS)}`;
    const lines = this.#chooseLines();
    const draw = random.next();
    if (draw < 0.65) await this.#purchase(userId, lines);
    else if (draw < 0.95) await this.#holdFirst(userId, lines);
    else await this.#reuseKey(userId, lines);
  }

  async #purchase(userId: string, lines: readonly BasketLine[], hold?: HoldView): Promise<void> {
    const { random } = this.#stage.world;
    const command = this.#placeCommand(userId, lines, hold);
    const doubleClick = random.chance(0.05) ? this.#place(command) : undefined;
    const order = await this.#place(command);
    await doubleClick;
    if (!order) {
      if (random.chance(0.1)) await this.#place(command);
      return;
    }
    await this.#afterOrder(order, command);
  }

  async #afterOrder(order: OrderView, command: PlaceCommand): Promise<void> {
    const { random, loop } = this.#stage.world;
    const leftMs = order.holdExpiresAtMs - loop.nowMs;
    if (order.totalCents > 0) await this.#payments.create(order);
    const draw = random.next();
    if (order.totalCents === 0 || draw < 0.5) await this.#payments.pay(order, random.between(0, Math.max(0, leftMs / 2)));
    else if (draw < 0.62) await this.#payments.pay(order, Math.max(0, leftMs - random.between(0, AIM_MS)));
    else if (draw < 0.67) await this.#payments.pay(order, leftMs + random.between(0, 60_000));
    else if (draw < 0.7) await this.#payments.payWrongAmount(order);
    else if (draw < 0.74) await this.#payments.payTwice(order);
    else if (draw < 0.8) await this.#payments.failThenPay(order);
    else if (draw < 0.86) await this.#cancel(order, command.request.userId);
    else if (draw < 0.9) {
      await Promise.all([this.#cancel(order, command.request.userId), this.#payments.pay(order, random.between(0, 20))]);
    }
    if (random.chance(0.2)) await this.#place(command);
    await this.#setbacks.befall(order);
    if (random.chance(0.3)) await this.#look(order.id);
  }

  async #holdFirst(userId: string, lines: readonly BasketLine[]): Promise<void> {
    const { world, promises, eventId } = this.#stage;
    const request = makeRequest(this.#stage, userId, "hold", lines);
    const command: HoldCommand = { request, eventId, lines, ...this.#holdTimeOf(lines) };
    const answer = await insist(this.#stage, PATIENCE, async () => {
      const made = await this.#ask(request.requestId).call(this.#stage.worker, "hold", [command]);
      promises.held(request, made);
      return made;
    });
    if (!answer?.ok) return;
    await pause(this.#stage, world.random.between(0, 5_000));
    const hold = answer.value;
    const draw = world.random.next();
    if (draw < 0.5) await this.#purchase(userId, lines, hold);
    else if (draw < 0.6) await Promise.all([this.#purchase(userId, lines, hold), this.#purchase(userId, lines, hold)]);
    else if (draw < 0.9) await this.#release(hold);
  }

  async #release(hold: HoldView): Promise<void> {
    const { worker } = this.#stage;
    await insist(this.#stage, PATIENCE, async () => {
      const answer = await this.#ask(hold.id).call(worker, "releaseHold", [hold.tenantId, hold.userId, hold.id]);
      this.#stage.world.require(answer.ok || answer.failure.code !== "not_found", () => `hold ${hold.id} is gone`);
      if (answer.ok && answer.hold.status === "CANCELLED") this.#noteReleased(hold);
    });
  }

  /** The answer says that the stock is free, at every type. */
  #noteReleased(hold: HoldView): void {
    const { world, promises } = this.#stage;
    promises.released.add(hold.id);
    for (const { ticketTypeId } of hold.lines) {
      const status = stockOf(this.#stage, ticketTypeId).model.lines.get(hold.id)?.status;
      const isFree = status === "CANCELLED" || world.loop.nowMs >= hold.expiresAtMs;
      world.require(isFree, () => `hold ${hold.id} was given back and is ${status}`);
    }
  }

  /** A key that comes back with another body must change nothing. */
  async #reuseKey(userId: string, lines: readonly BasketLine[]): Promise<void> {
    const command = this.#placeCommand(userId, lines);
    await this.#place(command);
    const other = { ...command, request: { ...command.request, bodyHash: hashParts(["another body"]) } };
    const answer = await insist(this.#stage, PATIENCE, () =>
      this.#ask(command.request.requestId).call(this.#stage.worker, "place", [other]),
    );
    const wasAnswered = this.#stage.promises.orders.has(command.request.requestId);
    if (wasAnswered && answer && (answer.ok || answer.failure.code !== "idempotency_key_reused")) {
      this.#stage.world.fail(`key of order ${command.request.requestId} served for another body`);
    }
  }

  async #place(command: PlaceCommand): Promise<OrderView | undefined> {
    const { worker, promises } = this.#stage;
    const answer = await insist(this.#stage, PATIENCE, async () => {
      const made = await this.#ask(command.request.requestId).call(worker, "place", [command]);
      promises.placed(command.request, made);
      this.#stage.world.saw(`answer to a purchase: ${made.ok ? "made" : made.failure.code}`);
      return made;
    });
    return answer?.ok ? answer.value : undefined;
  }

  async #cancel(order: OrderView, userId: string): Promise<void> {
    const { world, worker, promises } = this.#stage;
    await pause(this.#stage, world.random.between(0, 50));
    const request = makeRequest(this.#stage, userId, "cancel", []);
    await insist(this.#stage, PATIENCE, async () => {
      const answer = await this.#ask(order.id).call(worker, "cancel", [{ request, orderId: order.id }]);
      world.saw(`answer to a cancellation: ${answer.ok ? "made" : answer.failure.code}`);
      if (!answer.ok) return;
      promises.cancelled.add(order.id);
      promises.saw(order.id, answer.value, 0);
    });
  }

  async #look(orderId: string): Promise<void> {
    const { worker, promises, tenantId } = this.#stage;
    const leastRank = promises.rankSeen(orderId);
    await insist(this.#stage, PATIENCE, async () => {
      promises.saw(orderId, await this.#ask(orderId).call(worker, "findOrder", [tenantId, orderId]), leastRank);
    });
  }

  /** The desk of an id. Each use is an operation. */
  #ask(id: string): DeskHost {
    this.#stage.world.count("request");
    const desk = this.#stage.desks.get(deskNumberOf(id));
    if (!desk) throw new Error(`no desk for ${id}`);
    return desk;
  }

  #chooseLines(): BasketLine[] {
    const { types, world } = this.#stage;
    const open = types.filter(({ model }) => model.heldCount + model.soldCount < (model.config?.capacity ?? 0));
    const shown = open.length > 0 && world.random.chance(READ_THE_PAGE) ? open : types;
    const wanted = new Set(Array.from({ length: world.random.between(1, MOST_LINES) }, () => world.random.pick(shown)));
    return [...wanted].map(({ stockName }) => ({ ticketTypeId: stockName, quantity: world.random.between(1, MOST_TICKETS) }));
  }

  #chooseCodes(): Discount[] {
    const { codes, world } = this.#stage;
    if (codes.length === 0 || !world.random.chance(WITH_CODES)) return [];
    const chosen = new Set(Array.from({ length: world.random.between(1, 2) }, () => world.random.pick(codes).discount));
    return [...chosen];
  }

  /** What the basket costs; undefined when the codes may not be used, alone or together. */
  #price(basket: readonly BasketLine[], discounts: readonly Discount[]): PricedOrder | undefined {
    const types = new Map(this.#stage.types.map(({ stockName, priced }) => [stockName, priced]));
    const { nowMs } = this.#stage.world.loop;
    const priced = priceOrder(basket, { types, currency: CURRENCY, taxRounding: "line", discounts, nowMs });
    return priced.ok ? priced.value : undefined;
  }

  #placeCommand(userId: string, basket: readonly BasketLine[], hold?: HoldView): PlaceCommand {
    const codes = this.#chooseCodes();
    const request = makeRequest(this.#stage, userId, "purchase", [basket, hold?.id, codes.map(({ code }) => code)]);
    const held = hold ? { reservationId: hold.id } : {};
    const priced = this.#price(basket, codes) ?? this.#price(basket, []);
    if (!priced) throw new Error("a basket without a code has its price");
    return { request, eventId: this.#stage.eventId, ...held, ...priced, ...this.#holdTimeOf(basket), walletAddress: null };
  }

  #holdTimeOf(lines: readonly BasketLine[]): SharedHoldTime {
    const configs = this.#stage.types.flatMap(({ stockName, model }) =>
      model.config ? [[stockName, model.config] as const] : [],
    );
    return sharedHoldTimeOf(lines, new Map(configs));
  }
}
