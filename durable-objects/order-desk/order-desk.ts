import { DurableObject } from "cloudflare:workers";
import type { Failure } from "#domain/failure";
import type { GatePort } from "#domain/gate-messages";
import { hashParts } from "#domain/ids";
import type { InventoryPort } from "#domain/inventory-messages";
import { attachPayment, cancelOrder, dueAtMs, firstAnswerOf, viewAt, type OrderRecord } from "#domain/order";
import { keptTicketsOf } from "#domain/order-tickets";
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
  RequestIdentity,
  SettleOutcome,
} from "#domain/order-messages";
import { decideNews } from "#domain/settlement";
import type { Backlog, UpkeepPort } from "#domain/upkeep-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { PaymentProviders } from "#payments/payment-provider";
import { readClockMs } from "#platform/clock";
import type { Logger } from "#platform/logger";
import { isD1ConstraintError } from "#storage/d1-errors";
import deskSql from "../../migrations/order-desk/0001_desk.sql";
import outboxSql from "../../migrations/shared/0001_outbox.sql";
import { DurableLedger } from "../durable-ledger.ts";
import { migrate } from "../migrate.ts";
import { deliverDeskNews, orderMessage, paymentEventMessage, readChangedAtMs } from "./desk-delivery.ts";
import { DeskHolds } from "./desk-holds.ts";
import { DeskStore } from "./desk-store.ts";
import { findKeptTicket, passOnTicket } from "./desk-tickets.ts";
import { DeskUpkeep } from "./desk-upkeep.ts";
import { NumberBlocks, type LeaseBlock } from "./number-blocks.ts";
import { OrderProgress } from "./order-progress.ts";
import { OrderPlacing } from "./order-placing.ts";
import type { StepOutcome } from "./order-steps.ts";
import { RequestsOnce, type Remembered } from "./requests-once.ts";
import type { Commit, Emit } from "./commit.ts";

/** The user's orders that a desk reads back at most. */
const RECENT_ORDERS = 100;

/** What a desk reaches outside itself; given by the composition root. */
export interface DeskReach {
  readonly db: D1Database;
  readonly mintQueue: Queue<MintMessage>;
  inventory(ticketTypeId: string): InventoryPort;
  gate(eventId: string): Pick<GatePort, "recall" | "block">;
  readonly paymentProviders: PaymentProviders;
  readonly leaseBlock: LeaseBlock;
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
  readonly #progress: OrderProgress;
  readonly #placing: OrderPlacing;
  readonly #upkeep: DeskUpkeep;
  readonly #once = new RequestsOnce();
  readonly #logger: Logger;

  constructor(ctx: DurableObjectState, env: Env, reach: DeskReach) {
    super(ctx, env);
    migrate(ctx.storage, [outboxSql, deskSql]);
    this.#logger = reach.logger;
    this.#store = new DeskStore(ctx.storage.sql);
    this.#numbers = new NumberBlocks(this.#store, this.#commit, reach);
    this.#holds = new DeskHolds(this.#store, this.#commit, reach);
    const changeOrder = (orderId: string, decide: StepOutcome): Promise<void> => this.#changeOrder(orderId, decide);
    this.#progress = new OrderProgress(reach, { findOrder: (orderId) => this.#store.findOrder(orderId), changeOrder });
    this.#placing = new OrderPlacing({
      store: this.#store,
      numbers: this.#numbers,
      holds: this.#holds,
      progress: this.#progress,
      commit: this.#commit,
      saveNew: (record, nowMs, emit) => this.#save(undefined, record, nowMs, emit),
      inBackground: (work) => ctx.waitUntil(work),
    });
    const { logger } = reach;
    this.#upkeep = new DeskUpkeep({ store: this.#store, progress: this.#progress, commit: this.#commit, logger, changeOrder });
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
      const stored = this.#findOwn(tenantId, orderId);
      if (!stored) return undefined;
      const changed = attachPayment(stored, payment);
      this.#save(stored, changed, nowMs, emit);
      return viewAt(changed, nowMs);
    });
  }

  async findOrder(tenantId: string, orderId: string): Promise<OrderView | undefined> {
    const record = this.#findOwn(tenantId, orderId);
    return record && viewAt(record, readClockMs());
  }

  async listRecentOrders(tenantId: string, userId: string): Promise<readonly OrderView[]> {
    return this.#listOwn(tenantId, userId).map((record) => viewAt(record, readClockMs()));
  }

  async findTicket(tenantId: string, ticketId: string): Promise<IssuedTicket | undefined> {
    return findKeptTicket(this.#store, tenantId, ticketId);
  }

  async listTicketsOfOrder(tenantId: string, orderId: string): Promise<readonly IssuedTicket[]> {
    const record = this.#findOwn(tenantId, orderId);
    return record ? keptTicketsOf(record) : [];
  }

  async listRecentTickets(tenantId: string, userId: string): Promise<readonly IssuedTicket[]> {
    return this.#listOwn(tenantId, userId).flatMap(keptTicketsOf).slice(0, RECENT_ORDERS);
  }

  async passOnTicket(tenantId: string, ticketId: string): Promise<void> {
    await this.#commit((nowMs, emit) => {
      const change = passOnTicket(this.#store, tenantId, ticketId);
      if (change) this.#save(change.before, change.after, nowMs, emit);
    });
  }

  async cancel({ request, orderId }: CancelCommand): Promise<MadeOnce<OrderView>> {
    const identity = { ...request, bodyHash: hashParts([request.bodyHash, orderId]) };
    return this.#once.run(
      identity,
      () => this.#findAnswer(request.requestId),
      () => this.#cancelOrder(identity, orderId),
    );
  }

  async settle(news: PaymentNews): Promise<SettleOutcome> {
    const outcome = await this.#commit((nowMs, emit) => this.#recordNews(news, nowMs, emit));
    if (outcome === "recorded") await this.#progress.advance(news.orderId, "settled");
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
    const { db, mintQueue, logger } = reach;
    const delivery = { db, mintQueue, logger, listOrders: (orderIds: readonly string[]) => this.#store.listOrders(orderIds) };
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
        isRefusal: isD1ConstraintError,
        onAlarm: (nowMs) => this.#upkeep.run(nowMs),
        nextWorkMs: () => this.#upkeep.nextWorkMs(),
      },
      reach.logger,
      readClockMs,
    );
  }

  #findPlaced(requestId: string): Remembered<OrderView> {
    if (!this.#store.knowsRequest(requestId)) return undefined;
    const record = this.#store.findOrder(requestId);
    if (!record) return this.#findAnswer(requestId);
    const answer = { ok: true as const, value: firstAnswerOf(record, readClockMs()), replayed: true, stock: [] };
    return { bodyHash: record.bodyHash, answer };
  }

  #findAnswer(requestId: string): Remembered<OrderView> {
    const record = this.#store.findAnswer(requestId);
    return record && { bodyHash: record.bodyHash, answer: { ...record.answer, replayed: true, stock: [] } };
  }

  /** Decides, and remembers the answer, in one commit; then gives the stock back. An order that is not there leaves no trace. */
  async #cancelOrder(request: RequestIdentity, orderId: string): Promise<MadeOnce<OrderView>> {
    const { tenantId, userId, requestId, bodyHash } = request;
    const answer = await this.#commit((nowMs, emit): Result<OrderView, Failure> => {
      const record = this.#findOwn(tenantId, orderId);
      if (record?.view.userId !== userId) return refuse({ code: "not_found", what: "order" });
      const decided = cancelOrder(record, nowMs);
      const told = decided.ok ? succeed(decided.value.view) : decided;
      if (decided.ok) this.#save(record, decided.value, nowMs, emit);
      this.#store.insertAnswer(requestId, { bodyHash, answer: told }, nowMs);
      return told;
    });
    if (answer.ok) await this.#progress.advance(orderId, "settled");
    return { ...answer, replayed: false, stock: [] };
  }

  #recordNews(news: PaymentNews, nowMs: number, emit: Emit): SettleOutcome {
    const record = this.#store.findOrder(news.orderId);
    if (!record) return "unknown_order";
    if (!this.#store.insertPaymentEvent(news, nowMs)) return "duplicate";
    const { record: changed, outcome, alert } = decideNews(record, news, nowMs);
    if (changed !== record) this.#save(record, changed, nowMs, emit);
    emit(paymentEventMessage(news, { tenantId: record.view.tenantId, outcome, attempts: 1, receivedAtMs: nowMs }));
    if (alert) this.#logger.error("a payment needs a person's eye", { alert, orderId: news.orderId, eventType: news.type });
    return "recorded";
  }

  #findOwn(tenantId: string, orderId: string): OrderRecord | undefined {
    const record = this.#store.findOrder(orderId);
    return record?.view.tenantId === tenantId ? record : undefined;
  }

  #listOwn(tenantId: string, userId: string): OrderRecord[] {
    return this.#store.listOrdersOfUser(userId, RECENT_ORDERS).filter((record) => record.view.tenantId === tenantId);
  }

  #changeOrder(orderId: string, decide: StepOutcome): Promise<void> {
    return this.#commit((nowMs, emit) => {
      const stored = this.#store.findOrder(orderId);
      if (stored) this.#save(stored, decide(stored, nowMs), nowMs, emit);
    });
  }

  /** Stores an order in a commit. The world hears of it when it is new or a version on: attempts are the desk's own affair. */
  #save(before: OrderRecord | undefined, record: OrderRecord, nowMs: number, emit: Emit): void {
    if (record === before) return;
    const dueMs = dueAtMs(record, nowMs);
    this.#store.saveOrder(record, dueMs);
    this.#upkeep.noteDue(dueMs);
    if (record.version === before?.version) return;
    const isIssued = record.view.paidAtMs !== null && (before?.view.paidAtMs ?? null) === null;
    emit(orderMessage({ orderId: record.view.id, isNew: before === undefined, isIssued, atMs: nowMs }));
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
