import type { Failure } from "./failure.ts";
import type { TicketTypeStatus } from "./statuses.ts";

/** What of a discount there is only so much of: its uses, or the first tickets of an early bird. */
export type DiscountCap = "uses" | "first_tickets";

/**
 * What an inventory must know of its ticket type to decide alone. Counts are tickets, times Unix milliseconds.
 *
 * A cap of a discount is stock too (docs/adr/0010): then `ticketTypeId` is the name of that stock, which belongs to no event,
 * and counts are uses.
 */
export interface InventoryConfig {
  readonly tenantId: string;
  /** Empty for a discount's stock. */
  readonly eventId: string;
  readonly ticketTypeId: string;
  /** Which cap of which discount this is the stock of; left out for a ticket type. */
  readonly discount?: { readonly discountId: string; readonly cap: DiscountCap };
  readonly capacity: number;
  readonly status: TicketTypeStatus;
  readonly saleStartsAtMs: number | null;
  readonly saleEndsAtMs: number | null;
  readonly minPerOrder: number;
  readonly maxPerOrder: number;
  readonly maxPerUser: number | null;
  readonly reservationTtlSeconds: number;
}

/**
 * Stock at one moment. Expired holds are free stock here, whether or not an alarm has swept them.
 * Invariant: heldCount + soldCount + availableCount = capacity, each 0 or more.
 */
export interface InventorySnapshot {
  readonly capacity: number;
  readonly heldCount: number;
  readonly soldCount: number;
  readonly availableCount: number;
  /** Number of the last change; a snapshot with a higher one is newer. */
  readonly seq: number;
  readonly takenAtMs: number;
}

/** A request to hold stock; `reservationId` is derived, so a repeat finds the first answer. */
export interface ReserveCommand {
  readonly tenantId: string;
  readonly reservationId: string;
  readonly userId: string;
  readonly quantity: number;
  /** The longest to hold, if that is less than the configured time: stock of one basket is held as long as the rest of it. */
  readonly holdMs?: number;
}

/** Why an inventory says no. */
export type InventoryRefusal = Extract<
  Failure,
  {
    code:
      | "sold_out"
      | "not_on_sale"
      | "quantity_out_of_range"
      | "user_limit_reached"
      | "reservation_expired"
      | "reservation_not_active"
      | "capacity_below_committed"
      | "not_found";
  }
>;

/** Answer to a hold. */
export type ReserveOutcome =
  | { readonly ok: true; readonly expiresAtMs: number }
  | { readonly ok: false; readonly failure: InventoryRefusal };

/** `retaken` is true when the hold had expired and stock was taken again. */
export type ConfirmOutcome =
  | { readonly ok: true; readonly retaken: boolean }
  | { readonly ok: false; readonly failure: InventoryRefusal };

/** A hold becomes a sale of `orderId`. */
export interface ConfirmCommand {
  readonly tenantId: string;
  readonly reservationId: string;
  readonly orderId: string;
}

/** A hold is given back. `actor` and `cause` are for the history: who, and in one word why. */
export interface ReleaseCommand {
  readonly tenantId: string;
  readonly reservationId: string;
  readonly actor: string;
  readonly cause: string;
}

/** Sold tickets of a reservation go back on sale, once per `commandId`. */
export interface RestockCommand {
  readonly tenantId: string;
  readonly commandId: string;
  readonly reservationId: string;
  readonly quantity: number;
  readonly actor: string;
  readonly cause: string;
}

/** Answer to a new configuration. */
export type ConfigureOutcome =
  | { readonly ok: true; readonly snapshot: InventorySnapshot }
  | { readonly ok: false; readonly failure: InventoryRefusal };

/** Answer to a release or a restock. */
export type GiveBackOutcome = { readonly ok: true } | { readonly ok: false; readonly failure: InventoryRefusal };

/** The methods of the Durable Object `TicketTypeInventory`, one per ticket type (or per capped discount code). */
export interface InventoryPort {
  /** Creates or changes the stock. Refuses `capacity_below_committed` when held + sold exceed the new capacity. */
  configure(config: InventoryConfig): Promise<ConfigureOutcome>;
  /** Stock now; undefined for a ticket type never configured. */
  snapshot(): Promise<InventorySnapshot | undefined>;
  /**
   * Decides each command in order, in one commit; answers by position, with the stock after it.
   * A repeat of a `reservationId` must be the same request: with another user or quantity it is `reservation_not_active`.
   */
  reserve(
    commands: readonly ReserveCommand[],
  ): Promise<{ outcomes: readonly ReserveOutcome[]; snapshot: InventorySnapshot | undefined }>;
  /**
   * Turns each hold into a sale, taking the stock again if the hold has expired and there is any; in order, in one commit, and
   * answers by position. A sale's repeats answer alike; once refused, it is refused for good.
   */
  confirm(commands: readonly ConfirmCommand[]): Promise<readonly ConfirmOutcome[]>;
  /** Gives a hold back. Repeats, and unknown or expired holds, change nothing and succeed; a sale is refused. */
  release(command: ReleaseCommand): Promise<GiveBackOutcome>;
  /** Puts sold stock of a reservation back on sale, once per `commandId`, never more than was sold under it. */
  restock(command: RestockCommand): Promise<GiveBackOutcome>;
}
