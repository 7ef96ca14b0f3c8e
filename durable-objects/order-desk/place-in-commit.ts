import type { Failure } from "#domain/failure";
import { newOrder, type OrderRecord } from "#domain/order";
import type { OrderView, PlaceCommand, StockNews } from "#domain/order-messages";
import { assertSumOfLines } from "#domain/pricing";
import { refuse, succeed, type Result } from "#domain/result";
import type { HoldRecord } from "./desk-records.ts";
import type { DeskStore } from "./desk-store.ts";
import type { NumberBlocks } from "./number-blocks.ts";

/** Stock held for an order that is about to be placed. */
export interface HeldStock {
  readonly reservationId: string;
  readonly expiresAtMs: number;
  readonly stock: StockNews;
}

/**
 * Makes the order in a commit: takes its number and, when it uses a hold made earlier, ties that hold to it, so that of two
 * orders for one hold exactly one is placed.
 * @param held stock held for this order just now; undefined when the command names an earlier hold.
 * @returns `needs_numbers` when a block must be leased first; nothing is written then.
 */
export function placeInCommit(
  store: DeskStore,
  numbers: NumberBlocks,
  command: PlaceCommand,
  held: HeldStock | undefined,
  nowMs: number,
  save: (record: OrderRecord) => void,
): Result<OrderRecord, Failure> | "needs_numbers" {
  const { request } = command;
  assertSumOfLines(command.lines, command.totals);
  const earlier = held === undefined ? findUsableHold(store, command, nowMs) : undefined;
  if (earlier && !earlier.ok) {
    store.insertAnswer(request.requestId, { bodyHash: request.bodyHash, answer: earlier }, nowMs);
    return earlier;
  }
  const orderNumber = numbers.take(request.tenantId);
  if (orderNumber === undefined) return "needs_numbers";
  const hold = held ?? (earlier && { reservationId: earlier.value.view.id, expiresAtMs: earlier.value.view.expiresAtMs });
  if (!hold) throw new Error("broken invariant: an order is placed on a hold");
  if (earlier) store.saveHold({ ...earlier.value, orderId: request.requestId }, nowMs);
  const view: OrderView = {
    ...command.totals,
    id: request.requestId,
    tenantId: request.tenantId,
    userId: request.userId,
    eventId: command.eventId,
    orderNumber,
    status: "PENDING",
    lines: command.lines,
    reservationId: hold.reservationId,
    holdExpiresAtMs: hold.expiresAtMs,
    walletAddress: command.walletAddress,
    payment: null,
    createdAtMs: nowMs,
    paidAtMs: null,
    refundedCents: 0,
  };
  const record = newOrder(view, request.route, request.bodyHash, command.discounts);
  save(record);
  return succeed(record);
}

/** The buyer's own hold that the command names, if it is alive and no order uses it. */
export function findUsableHold(store: DeskStore, command: PlaceCommand, nowMs: number): Result<HoldRecord, Failure> {
  const hold = command.reservationId === undefined ? undefined : store.findHold(command.reservationId);
  const { tenantId, userId } = command.request;
  if (!hold || hold.view.tenantId !== tenantId || hold.view.userId !== userId) {
    return refuse({ code: "not_found", what: "reservation" });
  }
  if (hold.orderId !== null || hold.view.status !== "ACTIVE") return refuse({ code: "reservation_not_active" });
  if (hold.view.expiresAtMs <= nowMs) return refuse({ code: "reservation_expired" });
  return succeed(hold);
}
