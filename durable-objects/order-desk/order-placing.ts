import { ownHoldIdOf } from "#domain/order-holds";
import type { MadeOnce, OrderView, PlaceCommand, RefusedOnce } from "#domain/order-messages";
import { readClockMs } from "#platform/clock";
import type { Commit } from "./commit.ts";
import type { DeskHolds } from "./desk-holds.ts";
import type { DeskOrders } from "./desk-orders.ts";
import type { DeskStore } from "./desk-store.ts";
import type { NumberBlocks } from "./number-blocks.ts";
import type { OrderProgress } from "./order-progress.ts";
import { findUsableHold, placeInCommit, type HeldStock } from "./place-in-commit.ts";

/** What placing needs of its desk. */
export interface PlacingHooks {
  readonly store: DeskStore;
  readonly numbers: NumberBlocks;
  readonly holds: DeskHolds;
  readonly orders: DeskOrders;
  readonly progress: OrderProgress;
  readonly commit: Commit;
  /** Lets work go on that no caller waits for. */
  readonly inBackground: (work: Promise<void>) => void;
}

/** Makes orders: holds their stock if need be, takes their numbers, and settles those that cost nothing. */
export class OrderPlacing {
  readonly #hooks: PlacingHooks;

  constructor(hooks: PlacingHooks) {
    this.#hooks = hooks;
  }

  /**
   * Makes the order of a request that was not answered before. Every id derives from the request's, so that the same request
   * after a crash finds its stock held and goes on.
   * @throws when stock or order numbers cannot be reached; what is held then expires by itself.
   */
  async make(command: PlaceCommand): Promise<MadeOnce<OrderView>> {
    const { store, progress } = this.#hooks;
    const orderId = command.request.requestId;
    let held: HeldStock | undefined;
    if (command.reservationId === undefined) {
      const outcome = await this.#hooks.holds.holdFor(command, ownHoldIdOf(orderId));
      if (!outcome.ok) return outcome;
      held = outcome.value;
    }
    const stock = held?.stock ?? [];
    const uses = await this.#holdUses(command, held);
    if (!uses.ok) return uses;
    const placed = await this.#place(command, held);
    if (!placed.ok) {
      const { stockNames } = uses;
      await this.#hooks.holds.releaseInVain(command.request, { reservationId: ownHoldIdOf(orderId), stockNames });
      return { ok: false, failure: placed.failure, replayed: false, stock };
    }
    if (placed.value.step.kind === "none") return { ok: true, value: placed.value.view, replayed: false, stock };
    await progress.advance(orderId, "settled");
    return { ok: true, value: store.findOrder(orderId)?.view ?? placed.value.view, replayed: false, stock };
  }

  /**
   * Holds what the order needs of capped codes, until its seats' hold ends. After the seats, because only then is it known how
   * long that is; a code without a cap needs no call.
   */
  async #holdUses(
    command: PlaceCommand,
    held: HeldStock | undefined,
  ): Promise<{ ok: true; stockNames: readonly string[] } | RefusedOnce> {
    const { store, holds } = this.#hooks;
    const uses = (command.discounts ?? []).flatMap((discount) => discount.uses);
    if (uses.length === 0) return { ok: true, stockNames: [] };
    const nowMs = readClockMs();
    const earlier = held ? undefined : findUsableHold(store, command, nowMs);
    // Without a hold the order is refused where it is placed, in a commit.
    if (earlier && !earlier.ok) return { ok: true, stockNames: [] };
    const expiresAtMs = held?.expiresAtMs ?? earlier?.value.view.expiresAtMs ?? nowMs;
    const holdMs = Math.max(1, expiresAtMs - nowMs);
    const seatNames = held ? command.lines.map((line) => line.ticketTypeId) : [];
    const refused = await holds.holdUsesFor(command.request, ownHoldIdOf(command.request.requestId), uses, holdMs, seatNames);
    return refused ?? { ok: true, stockNames: uses.map(({ stockName }) => stockName) };
  }

  async #place(
    command: PlaceCommand,
    held: HeldStock | undefined,
  ): Promise<Exclude<ReturnType<typeof placeInCommit>, "needs_numbers">> {
    const { store, numbers, orders, commit, inBackground } = this.#hooks;
    const { tenantId } = command.request;
    for (;;) {
      const placed = await commit((nowMs, emit) =>
        placeInCommit(store, numbers, command, held, nowMs, (record) => orders.save(undefined, record, nowMs, emit)),
      );
      if (placed === "needs_numbers") {
        await numbers.lease(tenantId); // others may use the whole block up first: then once more
        continue;
      }
      if (numbers.isLow(tenantId)) inBackground(numbers.leaseAhead(tenantId));
      return placed;
    }
  }
}
