import { DurableObject } from "cloudflare:workers";
import { deriveIdWithin, sharedPrefixOf } from "#domain/ids";
import type { InventoryPort } from "#domain/inventory-messages";
import {
  attachPayment,
  cancelOrder,
  decideNews,
  dueAtMs,
  expireOrder,
  firstAnswerOf,
  isOverdue,
  ticketsOf,
  viewAt,
  type OrderRecord,
} from "#domain/order";
import type {
  DeskPort,
  HoldCommand,
  HoldView,
  IssuedTicket,
  MadeOnce,
  OrderPayment,
  OrderView,
  PaymentNews,
  PlaceCommand,
  SettleOutcome,
} from "#domain/order-messages";
import type { PaymentProviders } from "#payments/payment-provider";
import { readClockMs } from "#platform/clock";
import type { Logger } from "#platform/logger";
import { isD1ConstraintError } from "#storage/d1-errors";
import deskSql from "../../migrations/order-desk/0001_desk.sql";
import outboxSql from "../../migrations/shared/0001_outbox.sql";
import { DurableLedger } from "../durable-ledger.ts";
import { migrate } from "../migrate.ts";
import { deliverDeskNews, orderMessage, paymentEventMessage, type MintMessage } from "./desk-delivery.ts";
import { DeskHolds } from "./desk-holds.ts";
import { DeskStore } from "./desk-store.ts";
import { NumberBlocks, type LeaseBlock } from "./number-blocks.ts";
import { OrderProgress } from "./order-progress.ts";
import { placeInCommit, type HeldStock } from "./place-in-commit.ts";
import { RequestsOnce } from "./requests-once.ts";
import type { Commit, Emit } from "./commit.ts";

/** Orders looked after in one alarm. */
const ORDERS_PER_ALARM = 100;
/** The user's orders that a desk reads back at most. */
const RECENT_ORDERS = 100;
const HOUR_MS = 3_600_000;
/** Idempotency records live a day; orders a month, because providers report late. */
const KEEP_REQUESTS_MS = 24 * HOUR_MS;
const KEEP_ORDERS_MS = 30 * 24 * HOUR_MS;
const PRUNED_PER_ALARM = 200;

/** What a desk reaches outside itself; given by the composition root. */
export interface DeskReach {
  readonly db: D1Database;
  readonly mintQueue: Queue<MintMessage>;
  inventory(ticketTypeId: string): InventoryPort;
  readonly paymentProviders: PaymentProviders;
  readonly leaseBlock: LeaseBlock;
  readonly logger: Logger;
}

/**
 * The order desk: makes orders durable before the buyer's answer, remembers each request that made something, records
 * payment events, and takes every order through its steps (docs/architecture.md). One object serves many buyers.
 */
export class OrderDeskObject<Env> extends DurableObject<Env> implements DeskPort {
  readonly #store: DeskStore;
  readonly #ledger: DurableLedger<(nowMs: number, emit: Emit) => void, true>;
  readonly #numbers: NumberBlocks;
  readonly #holds: DeskHolds;
  readonly #progress: OrderProgress;
  readonly #once = new RequestsOnce();
  readonly #logger: Logger;
  #nextDueMs: number | undefined;
  #nextPruneMs: number | undefined;

  constructor(ctx: DurableObjectState, env: Env, reach: DeskReach) {
    super(ctx, env);
    migrate(ctx.storage, [outboxSql, deskSql]);
    this.#logger = reach.logger;
    this.#store = new DeskStore(ctx.storage.sql);
    this.#numbers = new NumberBlocks(this.#store, reach.leaseBlock);
    this.#nextDueMs = this.#store.firstDueMs();
    this.#ledger = new DurableLedger(
      ctx.storage,
      {
        apply: (commands, nowMs, emit) =>
          commands.map((command) => {
            command(nowMs, emit);
            return true;
          }),
        reload: () => this.#reload(),
        deliver: (rows) => deliverDeskNews(reach.db, reach.mintQueue, rows, readClockMs()),
        isRefusal: isD1ConstraintError,
        onAlarm: (nowMs) => this.#onAlarm(nowMs),
        nextWorkMs: () => earliest(this.#nextDueMs, this.#nextPruneMs),
      },
      reach.logger,
      readClockMs,
    );
    this.#holds = new DeskHolds(this.#store, this.#commit, reach);
    this.#progress = new OrderProgress(
      reach,
      {
        findOrder: (orderId) => this.#store.findOrder(orderId),
        applyStep: (orderId, outcome) => this.#changeOrder(orderId, outcome),
        putOff: (orderId) => this.#changeOrder(orderId, (record) => ({ ...record, attempts: record.attempts + 1 })),
      },
      reach.logger,
    );
  }

  async hold(command: HoldCommand): Promise<MadeOnce<HoldView>> {
    return this.#once.run(
      command.request,
      () => this.#holds.findMade(command.request.requestId),
      () => this.#holds.make(command),
    );
  }

  async findHold(tenantId: string, reservationId: string): Promise<HoldView | undefined> {
    const hold = this.#holds.find(reservationId, readClockMs());
    return hold?.tenantId === tenantId ? hold : undefined;
  }

  async releaseHold(...[tenantId, userId, reservationId]: Parameters<DeskPort["releaseHold"]>): ReturnType<DeskPort["releaseHold"]> {
    return this.#holds.release(tenantId, userId, reservationId);
  }

  async place(command: PlaceCommand): Promise<MadeOnce<OrderView>> {
    return this.#once.run(
      command.request,
      () => {
        const record = this.#store.findOrder(command.request.requestId);
        if (!record) return this.#holds.findRefusal(command.request.requestId);
        const answer = { ok: true as const, value: firstAnswerOf(record), replayed: true, stock: [] };
        return { bodyHash: record.bodyHash, answer };
      },
      () => this.#makeOrder(command),
    );
  }

  async attachPayment(tenantId: string, orderId: string, payment: OrderPayment): Promise<OrderView | undefined> {
    const record = this.#findOwn(tenantId, orderId);
    if (!record) return undefined;
    await this.#changeOrder(orderId, (stored) => attachPayment(stored, payment));
    return this.findOrder(tenantId, orderId);
  }

  async findOrder(tenantId: string, orderId: string): Promise<OrderView | undefined> {
    const record = this.#findOwn(tenantId, orderId);
    return record && viewAt(record, readClockMs());
  }

  async listRecentOrders(tenantId: string, userId: string): Promise<readonly OrderView[]> {
    const nowMs = readClockMs();
    return this.#listOwn(tenantId, userId).map((record) => viewAt(record, nowMs));
  }

  async findTicket(tenantId: string, ticketId: string): Promise<IssuedTicket | undefined> {
    return this.#store
      .listOrdersByPrefix(sharedPrefixOf(ticketId))
      .flatMap(ticketsOf)
      .find((ticket) => ticket.id === ticketId && ticket.tenantId === tenantId);
  }

  async listTicketsOfOrder(tenantId: string, orderId: string): Promise<readonly IssuedTicket[]> {
    const record = this.#findOwn(tenantId, orderId);
    return record ? ticketsOf(record) : [];
  }

  async listRecentTickets(tenantId: string, userId: string): Promise<readonly IssuedTicket[]> {
    return this.#listOwn(tenantId, userId).flatMap(ticketsOf).slice(0, RECENT_ORDERS);
  }

  async cancel(tenantId: string, userId: string, orderId: string): ReturnType<DeskPort["cancel"]> {
    const record = this.#findOwn(tenantId, orderId);
    if (!record || record.view.userId !== userId) return { ok: false, failure: { code: "not_found", what: "order" } };
    const decision = await this.#commit((nowMs, emit) => {
      const decided = cancelOrder(this.#store.findOrder(orderId) ?? record, nowMs);
      if (decided.ok) this.#save(decided.value, false, nowMs, emit);
      return decided;
    });
    if (!decision.ok) return decision;
    await this.#progress.advance(orderId, "settled");
    return { ok: true, order: this.#store.findOrder(orderId)?.view ?? decision.value.view };
  }

  async settle(news: PaymentNews): Promise<SettleOutcome> {
    const outcome = await this.#commit((nowMs, emit) => this.#recordNews(news, nowMs, emit));
    if (outcome === "recorded") await this.#progress.advance(news.orderId, "settled");
    return outcome;
  }

  override async alarm(): Promise<void> {
    await this.#ledger.alarm();
  }

  async #makeOrder(command: PlaceCommand): Promise<MadeOnce<OrderView>> {
    const { requestId: orderId, tenantId } = command.request;
    let held: HeldStock | undefined;
    if (command.reservationId === undefined) {
      const outcome = await this.#holds.holdFor(command.request, deriveIdWithin(orderId, ["hold"]), command.lines);
      if (!outcome.ok) return outcome;
      held = outcome.value;
    }
    const stock = held?.stock ?? [];
    for (;;) {
      const placed = await this.#commit((nowMs, emit) => placeInCommit(this.#store, this.#numbers, command, held, nowMs, (record) => this.#save(record, false, nowMs, emit)));
      if (placed === "needs_numbers") {
        await this.#leaseNumbers(tenantId);
        continue;
      }
      if (!placed.ok) return { ok: false, failure: placed.failure, replayed: false, stock };
      if (this.#numbers.isLow(tenantId)) this.ctx.waitUntil(this.#leaseAhead(tenantId));
      if (placed.value.step.kind !== "none") await this.#progress.advance(orderId, "settled");
      const value = this.#store.findOrder(orderId)?.view ?? placed.value.view;
      return { ok: true, value, replayed: false, stock };
    }
  }

  async #leaseNumbers(tenantId: string): Promise<void> {
    const block = await this.#numbers.lease(tenantId);
    await this.#commit(() => this.#numbers.add(tenantId, block));
  }

  /** Leases ahead of need; if D1 is down now, the next order tries again. */
  async #leaseAhead(tenantId: string): Promise<void> {
    try {
      await this.#leaseNumbers(tenantId);
    } catch (error) {
      this.#logger.warn("order numbers could not be leased ahead", { error });
    }
  }

  #recordNews(news: PaymentNews, nowMs: number, emit: Emit): SettleOutcome {
    const record = this.#store.findOrder(news.orderId);
    if (!record) return "unknown_order";
    if (!this.#store.insertPaymentEvent(news, nowMs)) return "duplicate";
    const { record: changed, outcome, alert } = decideNews(record, news, nowMs);
    if (changed !== record) this.#save(changed, false, nowMs, emit);
    const { provider, eventId, orderId, type, occurredAtMs } = news;
    emit(paymentEventMessage({ provider, eventId, orderId, type, occurredAtMs, outcome, tenantId: record.view.tenantId, receivedAtMs: nowMs }));
    if (alert) this.#logger.error("a payment needs a person's eye", { alert, orderId, eventType: type });
    return "recorded";
  }

  #findOwn(tenantId: string, orderId: string): OrderRecord | undefined {
    const record = this.#store.findOrder(orderId);
    return record?.view.tenantId === tenantId ? record : undefined;
  }

  #listOwn(tenantId: string, userId: string): OrderRecord[] {
    return this.#store.listOrdersOfUser(userId, RECENT_ORDERS).filter((record) => record.view.tenantId === tenantId);
  }

  #changeOrder(orderId: string, decide: (stored: OrderRecord, nowMs: number) => OrderRecord): Promise<void> {
    return this.#commit((nowMs, emit) => {
      const stored = this.#store.findOrder(orderId);
      if (!stored) return;
      const changed = decide(stored, nowMs);
      if (changed === stored) return;
      this.#save(changed, stored.view.paidAtMs === null && changed.view.paidAtMs !== null, nowMs, emit);
    });
  }

  #save(record: OrderRecord, issued: boolean, nowMs: number, emit: Emit): void {
    const due = dueAtMs(record, nowMs);
    this.#store.saveOrder(record, due);
    if (due !== null) this.#nextDueMs = earliest(this.#nextDueMs, due);
    emit(orderMessage(record, issued));
  }

  readonly #commit: Commit = async (decide) => {
    let decided: { value: ReturnType<typeof decide> } | undefined;
    await this.#ledger.submit((nowMs, emit) => {
      decided = { value: decide(nowMs, emit) };
    });
    if (!decided) throw new Error("broken invariant: a commit that resolved has decided");
    return decided.value;
  };

  #reload(): void {
    this.#numbers.reload();
    this.#nextDueMs = this.#store.firstDueMs();
  }

  async #onAlarm(nowMs: number): Promise<void> {
    const orderIds = this.#store.listDueOrderIds(nowMs, ORDERS_PER_ALARM);
    await Promise.all(orderIds.map((orderId) => this.#lookAfter(orderId, nowMs)));
    if (this.#nextPruneMs === undefined || this.#nextPruneMs <= nowMs) {
      const sinceMs = { requests: nowMs - KEEP_REQUESTS_MS, orders: nowMs - KEEP_ORDERS_MS };
      await this.#commit(() => this.#store.prune(sinceMs, PRUNED_PER_ALARM));
      this.#nextPruneMs = nowMs + HOUR_MS;
    }
    this.#nextDueMs = this.#store.firstDueMs();
  }

  async #lookAfter(orderId: string, nowMs: number): Promise<void> {
    const record = this.#store.findOrder(orderId);
    if (record && isOverdue(record, nowMs)) await this.#changeOrder(orderId, expireOrder);
    else await this.#progress.advance(orderId, "done");
  }
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other;
  return other === undefined ? one : Math.min(one, other);
}
