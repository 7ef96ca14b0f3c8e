import type { Failure } from "#domain/failure";
import { hashParts } from "#domain/ids";
import { cancelOrder, raise, type OrderRecord } from "#domain/order";
import type { CancelCommand, MadeOnce, OrderView, RefundCommand, RequestIdentity } from "#domain/order-messages";
import { settleRevoked } from "#domain/recall";
import { decideRefund } from "#domain/refund";
import { refuse, succeed, type Result } from "#domain/result";
import type { Commit } from "./commit.ts";
import type { DeskOrders } from "./desk-orders.ts";
import type { DeskStore } from "./desk-store.ts";
import type { OrderProgress } from "./order-progress.ts";
import type { RequestsOnce } from "./requests-once.ts";

/** When a caller may ask again whose tickets could not be made dead at the gate. */
const RETRY_AFTER_SECONDS = 1;

/** What requests about orders need of their desk. */
export interface RequestsHooks {
  readonly store: DeskStore;
  readonly orders: DeskOrders;
  readonly progress: OrderProgress;
  readonly once: RequestsOnce;
  readonly commit: Commit;
}

/** Requests to change an order that is there: each has one effect and one answer, however often it comes. */
export class OrderRequests {
  readonly #hooks: RequestsHooks;

  constructor(hooks: RequestsHooks) {
    this.#hooks = hooks;
  }

  /** Cancels the buyer's own order; its stock is back before the answer. */
  async cancel({ request, orderId }: CancelCommand): Promise<MadeOnce<OrderView>> {
    const { once, progress, store } = this.#hooks;
    const identity = identityFor(request, orderId);
    const decide = (record: OrderRecord, nowMs: number): Result<OrderRecord, Failure> =>
      record.view.userId === request.userId ? cancelOrder(record, nowMs) : NO_SUCH_ORDER;
    return once.run(
      identity,
      () => store.findAnswer(request.requestId),
      async () => {
        const answer = await this.#decide(identity, orderId, decide, (record) => record.view);
        if (answer.ok) await progress.advance(orderId, "settled");
        return answer;
      },
    );
  }

  /** Pays tickets back; they are dead at the gate before the answer, also before a repeat's. */
  async refund(command: RefundCommand): Promise<MadeOnce<OrderView>> {
    const { once, progress, store } = this.#hooks;
    const { request, orderId } = command;
    const identity = identityFor(request, orderId);
    const answer = await once.run(
      identity,
      () => store.findAnswer(request.requestId),
      async () => {
        await progress.advance(orderId, "settled");
        // Told as it is once the tickets are dead: sooner nobody is told.
        const tell = (record: OrderRecord): OrderView => {
          const { view } = settleRevoked(record);
          return command.statusInD1 === null ? view : raise(view, command.statusInD1);
        };
        return this.#decide(identity, orderId, (record, nowMs) => decideRefund(record, command, nowMs), tell);
      },
    );
    if (!answer.ok) return answer;
    await progress.advance(orderId, "settled");
    return store.findOrder(orderId)?.step.kind === "revoke" ? GATE_IS_AWAY : answer;
  }

  /** Decides, and remembers the answer, in one commit. An order that is not there, or that something is done with, leaves no trace. */
  async #decide(
    { tenantId, requestId, bodyHash }: RequestIdentity,
    orderId: string,
    decide: (record: OrderRecord, nowMs: number) => Result<OrderRecord, Failure>,
    tell: (record: OrderRecord) => OrderView,
  ): Promise<MadeOnce<OrderView>> {
    const { store, orders, commit } = this.#hooks;
    const answer = await commit((nowMs, emit): Result<OrderView, Failure> => {
      const record = orders.findOwn(tenantId, orderId);
      const decided = record ? decide(record, nowMs) : NO_SUCH_ORDER;
      if (decided === NO_SUCH_ORDER || (!decided.ok && decided.failure.code === "request_in_flight")) return decided;
      const told = decided.ok ? succeed(tell(decided.value)) : decided;
      if (record && decided.ok) orders.save(record, decided.value, nowMs, emit);
      store.insertAnswer(requestId, { bodyHash, answer: told }, nowMs);
      return told;
    });
    return { ...answer, replayed: false, stock: [] };
  }
}

const NO_SUCH_ORDER = refuse({ code: "not_found", what: "order" } as const);

const GATE_IS_AWAY = {
  ok: false,
  failure: { code: "overloaded", retryAfterSeconds: RETRY_AFTER_SECONDS },
  replayed: false,
  stock: [],
} as const;

/** The same key for another order is a reused key. */
function identityFor(request: RequestIdentity, orderId: string): RequestIdentity {
  return { ...request, bodyHash: hashParts([request.bodyHash, orderId]) };
}
