import { deriveIdWithin } from "#domain/ids";
import type { OrderRecord } from "#domain/order";
import type { MadeOnce, OrderView, PlaceCommand } from "#domain/order-messages";
import type { Commit, Emit } from "./commit.ts";
import type { DeskHolds } from "./desk-holds.ts";
import type { DeskStore } from "./desk-store.ts";
import type { NumberBlocks } from "./number-blocks.ts";
import type { OrderProgress } from "./order-progress.ts";
import { placeInCommit, type HeldStock } from "./place-in-commit.ts";

/** What placing needs of its desk. */
export interface PlacingHooks {
  readonly store: DeskStore;
  readonly numbers: NumberBlocks;
  readonly holds: DeskHolds;
  readonly progress: OrderProgress;
  readonly commit: Commit;
  /** Stores a new order inside a commit. */
  readonly saveNew: (record: OrderRecord, nowMs: number, emit: Emit) => void;
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
      const outcome = await this.#hooks.holds.holdFor(command.request, deriveIdWithin(orderId, ["hold"]), command.lines);
      if (!outcome.ok) return outcome;
      held = outcome.value;
    }
    const stock = held?.stock ?? [];
    const placed = await this.#place(command, held);
    if (!placed.ok) return { ok: false, failure: placed.failure, replayed: false, stock };
    if (placed.value.step.kind === "none") return { ok: true, value: placed.value.view, replayed: false, stock };
    await progress.advance(orderId, "settled");
    return { ok: true, value: store.findOrder(orderId)?.view ?? placed.value.view, replayed: false, stock };
  }

  async #place(
    command: PlaceCommand,
    held: HeldStock | undefined,
  ): Promise<Exclude<ReturnType<typeof placeInCommit>, "needs_numbers">> {
    const { store, numbers, commit, saveNew, inBackground } = this.#hooks;
    const { tenantId } = command.request;
    for (;;) {
      const placed = await commit((nowMs, emit) =>
        placeInCommit(store, numbers, command, held, nowMs, (record) => saveNew(record, nowMs, emit)),
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
