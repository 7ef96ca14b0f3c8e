import type {
  ConfigureOutcome,
  ConfirmCommand,
  ConfirmOutcome,
  GiveBackOutcome,
  InventoryConfig,
  InventoryRefusal,
  ReleaseCommand,
  ReserveCommand,
  ReserveOutcome,
  RestockCommand,
} from "./inventory-messages.ts";
import { refuse } from "./result.ts";
import type { ReservationStatus } from "./statuses.ts";

/** No stock is held longer: no type may say so, and uses of a discount are configured with it, to be held as long as their seats. */
export const LONGEST_HOLD_SECONDS = 3_600;

/** An inventory makes a hold at once, so `PENDING` never occurs in it. */
export type LineStatus = Exclude<ReservationStatus, "PENDING">;

/**
 * One reservation as its inventory keeps it. Counts are tickets, times Unix milliseconds.
 * `ACTIVE` is a hold only until `expiresAtMs`: use {@link isLive}, never the bare status.
 */
export interface ReservationLine {
  readonly reservationId: string;
  readonly userId: string;
  readonly quantity: number;
  /** Of a sale, how many went back on sale: 0 to `quantity`. */
  readonly restockedQuantity: number;
  readonly status: LineStatus;
  readonly expiresAtMs: number;
  /** The order it was sold to. */
  readonly orderId: string | null;
  /** The hold had expired before the sale, and the stock was taken a second time. */
  readonly retaken: boolean;
  readonly createdAtMs: number;
}

/** What one decision sees of the stock: holds that have expired at `nowMs` are not in `heldCount`. */
export interface Stock {
  readonly config: InventoryConfig;
  readonly heldCount: number;
  readonly soldCount: number;
  /** Unix milliseconds, never earlier than that of any decision before it. */
  readonly nowMs: number;
}

/** A line as it shall be, and for the history: who, why, and how many tickets it is about. */
export interface LineChange {
  readonly line: ReservationLine;
  readonly actor: string;
  readonly cause: string;
  readonly quantity: number;
}

/** An answer, and the change it goes with; without a change the command was a repeat or was refused. */
export interface Decision<Outcome> {
  readonly outcome: Outcome;
  readonly change?: LineChange;
}

/** True while the reservation holds stock. Half-open: at `expiresAtMs` itself the stock is free. */
export function isLive(line: ReservationLine, nowMs: number): boolean {
  return line.status === "ACTIVE" && nowMs < line.expiresAtMs;
}

/** Tickets of a line that are sold and were not given back. */
export function countSold(line: ReservationLine): number {
  return line.status === "COMPLETED" ? line.quantity - line.restockedQuantity : 0;
}

/** Tickets that can be held now: 0 or more. */
export function countAvailable(stock: Stock): number {
  return stock.config.capacity - stock.soldCount - stock.heldCount;
}

/** True from the start of a type's sale until just before its end, unless it is archived. */
export function isOnSale(config: Pick<InventoryConfig, "status" | "saleStartsAtMs" | "saleEndsAtMs">, nowMs: number): boolean {
  if (config.status === "ARCHIVED") return false;
  if (config.saleStartsAtMs !== null && nowMs < config.saleStartsAtMs) return false;
  return config.saleEndsAtMs === null || nowMs < config.saleEndsAtMs;
}

function soldOut(stock: Stock): { readonly ok: false; readonly failure: InventoryRefusal } {
  const shortage = { ticketTypeId: stock.config.ticketTypeId, availableCount: countAvailable(stock) };
  return refuse({ code: "sold_out", shortages: [shortage] });
}

const NO_SUCH_RESERVATION = refuse({ code: "not_found", what: "reservation" } as const);
const NOT_ACTIVE = refuse({ code: "reservation_not_active" } as const);

function repeatReserve(line: ReservationLine, command: ReserveCommand, nowMs: number): ReserveOutcome {
  if (line.userId !== command.userId || line.quantity !== command.quantity) return NOT_ACTIVE;
  if (isLive(line, nowMs)) return { ok: true, expiresAtMs: line.expiresAtMs };
  const hasExpired = line.status === "ACTIVE" || line.status === "EXPIRED";
  return hasExpired ? refuse({ code: "reservation_expired" }) : NOT_ACTIVE;
}

/**
 * Decides whether the quantity can be held.
 * @param line What is known of this `reservationId`; with one, the command is a repeat and never holds a second time.
 * @param userCount Tickets the user holds or owns here at `nowMs`; looked at only when the type has a maximum per user.
 * @returns `ok` with `expiresAtMs`; `not_on_sale`, `quantity_out_of_range`, `user_limit_reached`, or `sold_out` with
 * `availableCount`; of a repeat also `reservation_expired` and `reservation_not_active`.
 * Invariant: soldCount + heldCount ≤ capacity, before and after.
 */
export function decideReserve(
  stock: Stock,
  line: ReservationLine | undefined,
  userCount: number,
  command: ReserveCommand,
): Decision<ReserveOutcome> {
  const { config, nowMs } = stock;
  const { ticketTypeId, minPerOrder, maxPerOrder, maxPerUser } = config;
  const { reservationId, userId, quantity } = command;
  if (line) return { outcome: repeatReserve(line, command, nowMs) };
  if (!isOnSale(config, nowMs)) return { outcome: refuse({ code: "not_on_sale", ticketTypeId }) };
  if (!Number.isSafeInteger(quantity) || quantity < minPerOrder || quantity > maxPerOrder) {
    return { outcome: refuse({ code: "quantity_out_of_range", ticketTypeId, minPerOrder, maxPerOrder }) };
  }
  if (maxPerUser !== null && userCount + quantity > maxPerUser) {
    return { outcome: refuse({ code: "user_limit_reached", ticketTypeId, maxPerUser }) };
  }
  if (quantity > countAvailable(stock)) return { outcome: soldOut(stock) };
  const configuredMs = config.reservationTtlSeconds * 1000;
  const expiresAtMs = nowMs + Math.min(command.holdMs ?? configuredMs, configuredMs);
  const held: ReservationLine = {
    reservationId,
    userId,
    quantity,
    restockedQuantity: 0,
    status: "ACTIVE",
    expiresAtMs,
    orderId: null,
    retaken: false,
    createdAtMs: nowMs,
  };
  return { outcome: { ok: true, expiresAtMs }, change: { line: held, actor: userId, cause: "held", quantity } };
}

/**
 * Decides whether a reservation becomes a sale. Money may have been taken already, so neither the sale window nor an
 * archived type nor the maximum per user stops it, and an expired hold takes the stock again if there is any.
 * @returns `ok`; `sold_out` when the hold has expired and its stock is gone; `reservation_not_active` when it was given
 * back, refused before or sold to another order; `not_found`.
 * A refusal is final. The desk gives the money back on it, and an older message of a desk that died may still be on its way: it
 * must not sell what came free meanwhile, to nobody.
 */
export function decideConfirm(
  stock: Stock,
  line: ReservationLine | undefined,
  command: ConfirmCommand,
): Decision<ConfirmOutcome> {
  if (!line) return { outcome: NO_SUCH_RESERVATION };
  if (line.status === "CANCELLED") return { outcome: NOT_ACTIVE };
  if (line.status === "COMPLETED") {
    return { outcome: line.orderId === command.orderId ? { ok: true, retaken: line.retaken } : NOT_ACTIVE };
  }
  const retaken = !isLive(line, stock.nowMs);
  if (retaken && line.quantity > countAvailable(stock)) {
    const over: ReservationLine = { ...line, status: "CANCELLED" };
    const change = { line: over, actor: `order:${command.orderId}`, cause: "sale_refused", quantity: line.quantity };
    return { outcome: soldOut(stock), change };
  }
  return {
    outcome: { ok: true, retaken },
    change: {
      line: { ...line, status: "COMPLETED", orderId: command.orderId, retaken },
      actor: `order:${command.orderId}`,
      cause: retaken ? "sold_after_expiry" : "sold",
      quantity: line.quantity,
    },
  };
}

/** Decides on giving a hold back. Only a live hold changes; a sale is `reservation_not_active`; all else is done already. */
export function decideRelease(
  stock: Stock,
  line: ReservationLine | undefined,
  command: ReleaseCommand,
): Decision<GiveBackOutcome> {
  if (line?.status === "COMPLETED") return { outcome: NOT_ACTIVE };
  if (!line || !isLive(line, stock.nowMs)) return { outcome: { ok: true } };
  const { actor, cause } = command;
  return { outcome: { ok: true }, change: { line: { ...line, status: "CANCELLED" }, actor, cause, quantity: line.quantity } };
}

/**
 * Decides on putting sold tickets back on sale. The reservation stays `COMPLETED`: it was a sale.
 * @param done True when this `commandId` was obeyed before for this reservation.
 * @returns `ok`; `quantity_out_of_range` when more than is left of the sale; `reservation_not_active` when it is no sale;
 * `not_found`.
 */
export function decideRestock(
  stock: Stock,
  line: ReservationLine | undefined,
  done: boolean,
  command: RestockCommand,
): Decision<GiveBackOutcome> {
  if (done) return { outcome: { ok: true } };
  if (!line) return { outcome: NO_SUCH_RESERVATION };
  if (line.status !== "COMPLETED") return { outcome: NOT_ACTIVE };
  const { actor, cause, quantity } = command;
  const soldCount = countSold(line);
  if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > soldCount) {
    const { ticketTypeId } = stock.config;
    return { outcome: refuse({ code: "quantity_out_of_range", ticketTypeId, minPerOrder: 1, maxPerOrder: soldCount }) };
  }
  const restocked = { ...line, restockedQuantity: line.restockedQuantity + quantity };
  return { outcome: { ok: true }, change: { line: restocked, actor, cause, quantity } };
}

/** The report that a hold's time has passed; undefined when it has not, or when the hold ended in another way. */
export function reportExpiry(stock: Stock, line: ReservationLine): LineChange | undefined {
  if (line.status !== "ACTIVE" || isLive(line, stock.nowMs)) return undefined;
  return { line: { ...line, status: "EXPIRED" }, actor: "inventory", cause: "expired", quantity: line.quantity };
}

/**
 * Decides whether the stock may be what `config` says. A status or a window is never refused.
 * @returns undefined to go ahead; `capacity_below_committed` with what is held and sold; `not_found` when the object
 * belongs to another tenant or type.
 */
export function refuseConfig(stock: Stock, config: InventoryConfig): Extract<ConfigureOutcome, { ok: false }> | undefined {
  const { tenantId, ticketTypeId } = stock.config;
  if (config.tenantId !== tenantId || config.ticketTypeId !== ticketTypeId) {
    return refuse({ code: "not_found", what: "ticket_type" });
  }
  const committedCount = stock.heldCount + stock.soldCount;
  return config.capacity < committedCount ? refuse({ code: "capacity_below_committed", committedCount }) : undefined;
}
