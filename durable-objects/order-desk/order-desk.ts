import { DurableObject } from "cloudflare:workers";
import { attachPayment, firstAnswerOf, viewAt, type OrderRecord } from "#domain/order";
import { firstKeptTicketsOf, keptTicketsOf } from "#domain/order-tickets";
import type {
  CancelCommand,
  DeskPort,
  HoldCommand,
  HoldView,
  IssuedTicket,
  MadeOnce,
  MintMessage,
  OrderPayment,
  OrderView,
  PaymentNews,
  PlaceCommand,
  RefundCommand,
  RequestIdentity,
  SettleOutcome,
} from "#domain/order-messages";
import { succeed } from "#domain/result";
import type { Backlog, UpkeepPort } from "#domain/upkeep-messages";
import type { PaymentProviders } from "#payments/payment-provider";
import { readClockMs } from "#platform/clock";
import type { Logger } from "#platform/logger";
import { waitAtMost } from "#platform/wait-at-most";
import { isD1Refusal } from "#storage/d1-errors";
import deskSql from "../../migrations/order-desk/0001_desk.sql";
import eventOutcomesSql from "../../migrations/order-desk/0002_payment_event_outcomes.sql";
import outboxSql from "../../migrations/shared/0001_outbox.sql";
import { DurableLedger } from "../durable-ledger.ts";
import { migrate } from "../migrate.ts";
import type { Emit } from "../outbox.ts";
import { deliverDeskNews, readChangedAtMs, type DeliveryReach } from "./desk-delivery.ts";
import { DeskHolds } from "./desk-holds.ts";
import { DeskOrders } from "./desk-orders.ts";
import { DeskStore } from "./desk-store.ts";
import { findKeptTicket, findTenantOf, passOnTicket } from "./desk-tickets.ts";
import { DeskUpkeep } from "./desk-upkeep.ts";
import { InventoryBatcher } from "./inventory-batcher.ts";
import { KnownRequests } from "./known-requests.ts";
import { limitCalls, type DeskCalls } from "./limit-calls.ts";
import { NumberBlocks } from "./number-blocks.ts";
import { OrderProgress } from "./order-progress.ts";
import { OrderPlacing } from "./order-placing.ts";
import { OrderRequests } from "./order-requests.ts";
import { RequestsOnce, type Remembered } from "./requests-once.ts";
import type { Commit } from "./commit.ts";

/** The user's orders and tickets that a desk reads back at most. */
const RECENT_ORDERS = 100;
const RECENT_TICKETS = 100;

/**
 * How long the answer to a payment event waits for what the event starts. The event is durable: an inventory that hangs must not
 * make its provider send it again.
 */
const SETTLE_PATIENCE_MS = 2_000;

/** What a desk reaches outside itself; given by the composition root. */
export interface DeskReach extends DeskCalls {
  readonly db: D1Database;
  readonly mintQueue: Queue<MintMessage>;
  readonly eventQueue: DeliveryReach["eventQueue"];
  readonly paymentProviders: PaymentProviders;
  readonly logger: Logger;
}

/**
 * The order desk: makes orders durable before the buyer's answer, remembers each request that made something, records
 * payment events, and takes every order through its steps (docs/architecture.md). One object serves many buyers.
 */
export class OrderDeskObject<Env> extends DurableObject<Env> implements DeskPort, UpkeepPort {
  readonly #store: DeskStore;
  readonly #ledger: DurableLedger<(nowMs: number, emit: Emit) => void, true>;
  readonly #numbers: NumberBlocks;
  readonly #holds: DeskHolds;
  readonly #orders: DeskOrders;
  readonly #progress: OrderProgress;
  readonly #placing: OrderPlacing;
  readonly #requests: OrderRequests;
  readonly #upkeep: DeskUpkeep;
  readonly #once: RequestsOnce;

  constructor(ctx: DurableObjectState, env: Env, reach: DeskReach) {
    super(ctx, env);
    migrate(ctx.storage, [outboxSql, deskSql, eventOutcomesSql]);
    this.#store = new DeskStore(ctx.storage.sql);
    this.#once = new RequestsOnce(new KnownRequests(ctx.storage, (requestIds) => this.#store.findKnownRequests(requestIds)));
    const limited = { ...reach, ...limitCalls(reach) };
    this.#numbers = new NumberBlocks(this.#store, this.#commit, limited);
    const batched = { ...limited, batcher: new InventoryBatcher((stockName) => limited.inventory(stockName)) };
    this.#holds = new DeskHolds(this.#store, this.#commit, batched);
    const records = { store: this.#store, commit: this.#commit, logger: reach.logger };
    this.#orders = new DeskOrders({ ...records, noteDue: (dueMs) => this.#upkeep.noteDue(dueMs) });
    this.#progress = new OrderProgress(batched, this.#store, this.#orders);
    const parts = { ...records, orders: this.#orders, progress: this.#progress };
    const inBackground = (work: Promise<void>): void => ctx.waitUntil(work);
    this.#placing = new OrderPlacing({ ...parts, numbers: this.#numbers, holds: this.#holds, inBackground });
    this.#requests = new OrderRequests({ ...parts, once: this.#once });
    this.#upkeep = new DeskUpkeep(parts);
    this.#ledger = this.#openLedger(ctx.storage, reach);
  }

  async hold(command: HoldCommand): Promise<MadeOnce<HoldView>> {
    return this.#once.run(
      command.request,
      () => this.#holds.findMade(command.request.requestId),
      () => this.#holds.make(command),
    );
  }

  async findHoldAnswer(request: RequestIdentity): Promise<MadeOnce<HoldView> | undefined> {
    return this.#once.recall(request, () => this.#holds.findMade(request.requestId));
  }

  async findHold(tenantId: string, reservationId: string): Promise<HoldView | undefined> {
    const hold = this.#holds.find(reservationId, readClockMs());
    return hold?.tenantId === tenantId ? hold : undefined;
  }

  async releaseHold(
    ...[tenantId, userId, reservationId]: Parameters<DeskPort["releaseHold"]>
  ): ReturnType<DeskPort["releaseHold"]> {
    return this.#holds.release(tenantId, userId, reservationId);
  }

  async place(command: PlaceCommand): Promise<MadeOnce<OrderView>> {
    return this.#once.run(
      command.request,
      () => this.#findPlaced(command.request.requestId),
      () => this.#placing.make(command),
    );
  }

  async findPlaceAnswer(request: RequestIdentity): Promise<MadeOnce<OrderView> | undefined> {
    return this.#once.recall(request, () => this.#findPlaced(request.requestId));
  }

  async attachPayment(tenantId: string, orderId: string, payment: OrderPayment): Promise<OrderView | undefined> {
    return this.#commit((nowMs, emit) => {
      const stored = this.#orders.findOwn(tenantId, orderId);
      if (!stored) return undefined;
      const changed = attachPayment(stored, payment);
      this.#orders.save(stored, changed, nowMs, emit);
      return viewAt(changed, nowMs);
    });
  }

  async findOrder(tenantId: string, orderId: string): Promise<OrderView | undefined> {
    const record = this.#orders.findOwn(tenantId, orderId);
    return record && viewAt(record, readClockMs());
  }

  async findTenantOf(id: string): Promise<string | undefined> {
    return findTenantOf(this.#store, id);
  }

  async listRecentOrders(tenantId: string, userId: string): Promise<readonly OrderView[]> {
    return this.#listOwn(tenantId, userId).map((record) => viewAt(record, readClockMs()));
  }

  async findTicket(tenantId: string, ticketId: string): Promise<IssuedTicket | undefined> {
    return findKeptTicket(this.#store, tenantId, ticketId);
  }

  async listTicketsOfOrder(tenantId: string, orderId: string): Promise<readonly IssuedTicket[]> {
    const record = this.#orders.findOwn(tenantId, orderId);
    return record ? keptTicketsOf(record) : [];
  }

  async listRecentTickets(tenantId: string, userId: string): Promise<readonly IssuedTicket[]> {
    return firstKeptTicketsOf(this.#listOwn(tenantId, userId), RECENT_TICKETS);
  }

  async passOnTicket(tenantId: string, ticketId: string): Promise<void> {
    await this.#commit((nowMs, emit) => {
      const change = passOnTicket(this.#store, tenantId, ticketId);
      if (change) this.#orders.save(change.before, change.after, nowMs, emit);
    });
  }

  async cancel(command: CancelCommand): Promise<MadeOnce<OrderView>> {
    return this.#requests.cancel(command);
  }

  async refund(command: RefundCommand): Promise<MadeOnce<OrderView>> {
    return this.#requests.refund(command);
  }

  async settle(news: PaymentNews): Promise<SettleOutcome> {
    const outcome = await this.#commit((nowMs, emit) => this.#orders.recordNews(news, nowMs, emit));
    if (outcome === "recorded") await waitAtMost(this.#progress.advance(news.orderId, "settled"), SETTLE_PATIENCE_MS);
    return outcome;
  }

  async wake(): Promise<void> {
    await this.#ledger.wake();
  }

  async measureBacklog(): Promise<Backlog> {
    return this.#ledger.measureBacklog(readChangedAtMs);
  }

  override async alarm(): Promise<void> {
    await this.#ledger.alarm();
  }

  #openLedger(storage: DurableObjectStorage, reach: DeskReach): DurableLedger<(nowMs: number, emit: Emit) => void, true> {
    const { db, mintQueue, eventQueue, logger } = reach;
    const delivery = {
      db,
      mintQueue,
      eventQueue,
      logger,
      listOrders: (orderIds: readonly string[]) => this.#store.listOrders(orderIds),
    };
    return new DurableLedger(
      storage,
      {
        apply: (commands, nowMs, emit) => {
          const outcomes = commands.map((command) => {
            command(nowMs, emit);
            return true as const;
          });
          this.#store.flush();
          return outcomes;
        },
        reload: () => {
          this.#store.discard();
          this.#numbers.reload();
          this.#upkeep.reload();
        },
        deliver: (rows) => deliverDeskNews(delivery, rows, readClockMs()),
        isRefusal: isD1Refusal,
        onAlarm: (nowMs) => this.#upkeep.run(nowMs),
        nextWorkMs: () => this.#upkeep.nextWorkMs(),
      },
      reach.logger,
      readClockMs,
    );
  }

  #findPlaced(requestId: string): Remembered<OrderView> {
    const record = this.#store.findOrder(requestId);
    if (!record) return this.#store.findAnswer(requestId);
    return { bodyHash: record.bodyHash, answer: succeed(firstAnswerOf(record, readClockMs())) };
  }

  #listOwn(tenantId: string, userId: string): OrderRecord[] {
    return this.#store.listOrdersOfUser(userId, RECENT_ORDERS).filter((record) => record.view.tenantId === tenantId);
  }

  readonly #commit: Commit = async (decide) => {
    let decided: { value: ReturnType<typeof decide> } | undefined;
    await this.#ledger.submit((nowMs, emit) => {
      decided = { value: decide(nowMs, emit) };
    });
    if (!decided) throw new Error("broken invariant: a commit that resolved has decided");
    return decided.value;
  };
}
