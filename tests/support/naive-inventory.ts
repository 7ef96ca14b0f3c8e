import type { InventoryCommand } from "#domain/inventory-group";
import type {
  ConfirmOutcome,
  GiveBackOutcome,
  InventoryConfig,
  InventoryRefusal,
  ReserveCommand,
  ReserveOutcome,
  RestockCommand,
} from "#domain/inventory-messages";

interface NaiveLine {
  readonly id: string;
  readonly userId: string;
  readonly quantity: number;
  readonly expiresAtMs: number;
  end: "none" | "sold" | "released";
  orderId: string;
  retaken: boolean;
  restockIds: string[];
  restocked: number;
}

function refusal(failure: InventoryRefusal): { ok: false; failure: InventoryRefusal } {
  return { ok: false, failure };
}

/**
 * An inventory as a newcomer would write it: a list of reservations, added up again for every question, with no counters, no
 * sweeping and no idea of expiry but the comparison itself. Tests compare the real one with it.
 */
export class NaiveInventory {
  config: InventoryConfig;
  readonly lines: NaiveLine[] = [];

  constructor(config: InventoryConfig) {
    this.config = config;
  }

  heldCount(nowMs: number): number {
    return this.lines.reduce((sum, line) => sum + (line.end === "none" && line.expiresAtMs > nowMs ? line.quantity : 0), 0);
  }

  soldCount(): number {
    return this.lines.reduce((sum, line) => sum + (line.end === "sold" ? line.quantity - line.restocked : 0), 0);
  }

  availableCount(nowMs: number): number {
    return this.config.capacity - this.heldCount(nowMs) - this.soldCount();
  }

  clone(): NaiveInventory {
    const copy = new NaiveInventory(this.config);
    for (const line of this.lines) copy.lines.push({ ...line, restockIds: [...line.restockIds] });
    return copy;
  }

  /** The answer that is due; undefined for commands whose answer is not compared. */
  apply(message: InventoryCommand, nowMs: number): unknown {
    switch (message.kind) {
      case "configure":
        return this.#configure(message.config, nowMs);
      case "reserve":
        return this.#reserve(message.command, nowMs);
      case "confirm":
        return this.#confirm(message.command.reservationId, message.command.orderId, nowMs);
      case "release":
        return this.#release(message.command.reservationId, nowMs);
      case "restock":
        return this.#restock(message.command);
      case "sweep":
        return undefined;
    }
  }

  #configure(config: InventoryConfig, nowMs: number): { ok: boolean; failure?: InventoryRefusal } {
    const committedCount = this.heldCount(nowMs) + this.soldCount();
    if (config.capacity < committedCount) return refusal({ code: "capacity_below_committed", committedCount });
    this.config = config;
    return { ok: true };
  }

  #find(id: string): NaiveLine | undefined {
    return this.lines.find((line) => line.id === id);
  }

  #soldOut(nowMs: number): { ok: false; failure: InventoryRefusal } {
    const { ticketTypeId } = this.config;
    return refusal({ code: "sold_out", shortages: [{ ticketTypeId, availableCount: this.availableCount(nowMs) }] });
  }

  #reserve(command: ReserveCommand, nowMs: number): ReserveOutcome {
    const { reservationId: id, userId, quantity } = command;
    const { ticketTypeId, minPerOrder, maxPerOrder, maxPerUser, status, saleStartsAtMs, saleEndsAtMs } = this.config;
    const line = this.#find(id);
    if (line) {
      if (line.end !== "none" || line.userId !== userId || line.quantity !== quantity)
        return refusal({ code: "reservation_not_active" });
      if (nowMs >= line.expiresAtMs) return refusal({ code: "reservation_expired" });
      return { ok: true, expiresAtMs: line.expiresAtMs };
    }
    const early = saleStartsAtMs !== null && nowMs < saleStartsAtMs;
    const late = saleEndsAtMs !== null && nowMs >= saleEndsAtMs;
    if (status !== "ACTIVE" || early || late) return refusal({ code: "not_on_sale", ticketTypeId });
    if (quantity < minPerOrder || quantity > maxPerOrder) {
      return refusal({ code: "quantity_out_of_range", ticketTypeId, minPerOrder, maxPerOrder });
    }
    const mine = new NaiveInventory(this.config);
    mine.lines.push(...this.lines.filter((other) => other.userId === userId));
    if (maxPerUser !== null && mine.heldCount(nowMs) + mine.soldCount() + quantity > maxPerUser) {
      return refusal({ code: "user_limit_reached", ticketTypeId, maxPerUser });
    }
    if (this.availableCount(nowMs) < quantity) return this.#soldOut(nowMs);
    const longestMs = this.config.reservationTtlSeconds * 1000;
    const expiresAtMs = nowMs + Math.min(longestMs, command.holdMs ?? longestMs);
    this.lines.push({
      id,
      userId,
      quantity,
      expiresAtMs,
      end: "none",
      orderId: "",
      retaken: false,
      restockIds: [],
      restocked: 0,
    });
    return { ok: true, expiresAtMs };
  }

  #confirm(id: string, orderId: string, nowMs: number): ConfirmOutcome {
    const line = this.#find(id);
    if (!line) return refusal({ code: "not_found", what: "reservation" });
    if (line.end === "sold" && line.orderId === orderId) return { ok: true, retaken: line.retaken };
    if (line.end !== "none") return refusal({ code: "reservation_not_active" });
    const late = nowMs >= line.expiresAtMs;
    if (late && this.availableCount(nowMs) < line.quantity) {
      line.end = "released";
      return this.#soldOut(nowMs);
    }
    Object.assign(line, { end: "sold", orderId, retaken: late });
    return { ok: true, retaken: late };
  }

  #release(id: string, nowMs: number): GiveBackOutcome {
    const line = this.#find(id);
    if (line?.end === "sold") return refusal({ code: "reservation_not_active" });
    if (line && line.expiresAtMs > nowMs) line.end = "released";
    return { ok: true };
  }

  #restock(command: RestockCommand): GiveBackOutcome {
    const line = this.#find(command.reservationId);
    if (!line) return refusal({ code: "not_found", what: "reservation" });
    if (line.restockIds.includes(command.commandId)) return { ok: true };
    if (line.end !== "sold") return refusal({ code: "reservation_not_active" });
    const left = line.quantity - line.restocked;
    if (command.quantity < 1 || command.quantity > left) {
      return refusal({
        code: "quantity_out_of_range",
        ticketTypeId: this.config.ticketTypeId,
        minPerOrder: 1,
        maxPerOrder: left,
      });
    }
    line.restocked += command.quantity;
    line.restockIds.push(command.commandId);
    return { ok: true };
  }
}
