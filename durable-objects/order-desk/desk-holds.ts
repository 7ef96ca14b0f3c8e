import type { Failure } from "#domain/failure";
import { holdOf } from "#domain/order-holds";
import type { DiscountUse } from "#domain/discount-stock";
import type {
  DeskPort,
  HoldCommand,
  HoldView,
  MadeOnce,
  PlaceCommand,
  RefusedOnce,
  RequestIdentity,
  StockNews,
} from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { Logger } from "#platform/logger";
import type { Commit } from "./commit.ts";
import type { HoldRecord } from "./desk-records.ts";
import type { DeskStore } from "./desk-store.ts";
import { holdAllLines, holdUses, releaseAll } from "./hold-lines.ts";
import type { InventoryBatcher } from "./inventory-batcher.ts";
import type { DeskInventory } from "./limit-calls.ts";
import type { HeldStock } from "./place-in-commit.ts";
import type { Remembered } from "./requests-once.ts";

/** Stock that is held under one id and that nobody will buy. */
interface HeldInVain {
  readonly reservationId: string;
  readonly stockNames: readonly string[];
}

/** The holds of a desk: made over all their inventories, read back, given back, and their refusals remembered. */
export class DeskHolds {
  readonly #store: DeskStore;
  readonly #commit: Commit;
  readonly #inventory: (stockName: string) => DeskInventory;
  readonly #batcher: InventoryBatcher;
  readonly #logger: Logger;

  constructor(
    store: DeskStore,
    commit: Commit,
    reach: { inventory(stockName: string): DeskInventory; readonly batcher: InventoryBatcher; readonly logger: Logger },
  ) {
    this.#store = store;
    this.#commit = commit;
    this.#inventory = (stockName) => reach.inventory(stockName);
    this.#batcher = reach.batcher;
    this.#logger = reach.logger;
  }

  /** The answer a hold request got before. */
  findMade(requestId: string): Remembered<HoldView> {
    const hold = this.#store.findHold(requestId);
    if (hold) return { bodyHash: hold.bodyHash, answer: succeed({ ...hold.view, status: "ACTIVE" }) };
    const refused = this.#store.findAnswer(requestId);
    return refused && !refused.answer.ok ? { bodyHash: refused.bodyHash, answer: refused.answer } : undefined;
  }

  /** Holds the lines and makes the hold durable before the answer. */
  async make(command: HoldCommand): Promise<MadeOnce<HoldView>> {
    const { request, eventId, lines } = command;
    const outcome = await this.holdFor(command, request.requestId);
    if (!outcome.ok) return outcome;
    const { expiresAtMs, stock } = outcome.value;
    const { tenantId, userId, requestId: id, bodyHash } = request;
    const view: HoldView = { id, tenantId, userId, eventId, status: "ACTIVE", expiresAtMs, lines };
    await this.#commit((nowMs) => this.#store.saveHold({ view, bodyHash, orderId: null }, nowMs));
    return { ok: true, value: view, replayed: false, stock };
  }

  /**
   * Holds stock for a purchase or a hold under `reservationId`. A refusal is remembered before the lines held in vain are given back: a
   * repeat after a crash in between gets the same refusal, and would else find its own hold given back.
   */
  async holdFor(
    command: HoldCommand | PlaceCommand,
    reservationId: string,
  ): Promise<{ ok: true; value: HeldStock } | RefusedOnce> {
    const { request, lines, holdMs } = command;
    const { tenantId, userId } = request;
    const hold = { tenantId, userId, reservationId, ...(holdMs === undefined ? {} : { holdMs }) };
    const outcome = await holdAllLines(this.#batcher, hold, lines);
    const { stock } = outcome;
    if (outcome.ok) return { ok: true, value: { reservationId, expiresAtMs: outcome.expiresAtMs, stock } };
    return this.#refuse(request, outcome.failure, stock, { reservationId, stockNames: outcome.heldNames });
  }

  /**
   * Holds the uses of capped codes under `reservationId` for `holdMs`, as long as the seats they are for. If one is refused,
   * the others and the seats are given back, as in {@link holdFor}.
   */
  async holdUsesFor(
    request: RequestIdentity,
    reservationId: string,
    uses: readonly DiscountUse[],
    holdMs: number,
    seatNames: readonly string[],
  ): Promise<RefusedOnce | undefined> {
    const { tenantId, userId } = request;
    const outcome = await holdUses(this.#batcher, { tenantId, userId, reservationId, holdMs }, uses);
    if (outcome.ok) return undefined;
    return this.#refuse(request, outcome.failure, [], { reservationId, stockNames: [...seatNames, ...outcome.heldNames] });
  }

  /** Gives back what was held for an order that was not placed after all. What cannot be given back expires by itself. */
  async releaseInVain({ tenantId, userId: actor }: RequestIdentity, { reservationId, stockNames }: HeldInVain): Promise<void> {
    try {
      await releaseAll(this.#inventory, stockNames, { tenantId, reservationId, actor, cause: "other_line_refused" });
    } catch (error) {
      this.#logger.warn("a line held in vain could not be given back and will expire", { reservationId, error });
    }
  }

  async #refuse(request: RequestIdentity, failure: Failure, stock: StockNews, held: HeldInVain): Promise<RefusedOnce> {
    const { requestId, bodyHash } = request;
    await this.#commit((nowMs) => this.#store.insertAnswer(requestId, { bodyHash, answer: { ok: false, failure } }, nowMs));
    await this.releaseInVain(request, held);
    return { ok: false, failure, replayed: false, stock };
  }

  /** A hold as it reads now, also one that an order made or uses. */
  find(reservationId: string, nowMs: number): HoldView | undefined {
    const hold = this.#store.findHold(reservationId);
    const order = hold?.orderId
      ? this.#store.findOrder(hold.orderId)
      : this.#store.listParentsOf(reservationId).find((record) => record.view.reservationId === reservationId);
    if (order) return holdOf(order, nowMs);
    if (!hold) return undefined;
    const expired = hold.view.status === "ACTIVE" && hold.view.expiresAtMs <= nowMs;
    return expired ? { ...hold.view, status: "EXPIRED" } : hold.view;
  }

  /** Gives the user's own hold back at once. One that ended already is no error; one that an order uses is refused. */
  async release(tenantId: string, userId: string, reservationId: string): ReturnType<DeskPort["releaseHold"]> {
    const decision = await this.#commit((nowMs) => this.#decideRelease(tenantId, userId, reservationId, nowMs));
    if (!decision.ok) return decision;
    const hold = decision.value;
    if (hold.status === "CANCELLED") {
      const command = { tenantId, reservationId, actor: userId, cause: "released_by_buyer" };
      const stockNames = hold.lines.map((line) => line.ticketTypeId);
      await releaseAll(this.#inventory, stockNames, command);
    }
    return { ok: true, hold };
  }

  #decideRelease(tenantId: string, userId: string, reservationId: string, nowMs: number): Result<HoldView, Failure> {
    const hold = this.find(reservationId, nowMs);
    if (!hold || hold.tenantId !== tenantId || hold.userId !== userId)
      return refuse({ code: "not_found", what: "reservation" });
    if (hold.status === "CANCELLED" || hold.status === "EXPIRED") return succeed(hold);
    const stored: HoldRecord | undefined = this.#store.findHold(reservationId);
    if (!stored || stored.orderId !== null) return refuse({ code: "reservation_not_active" });
    const view: HoldView = { ...stored.view, status: "CANCELLED" };
    this.#store.saveHold({ ...stored, view }, nowMs);
    return succeed(view);
  }
}
