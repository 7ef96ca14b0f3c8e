import type { InventorySnapshot } from "./inventory-messages.ts";
import type { ReservationStatus } from "./statuses.ts";

/** What an object has decided and D1 has not heard yet. */
export interface Backlog {
  /** Messages that wait, those set aside included; counted up to 10,000. */
  readonly waitingCount: number;
  /** Of them, messages that D1 has refused and that are tried again. */
  readonly refusedCount: number;
  /** When the oldest waiting change was made, Unix milliseconds; null when nothing waits or its age is not known. */
  readonly oldestAtMs: number | null;
}

/** What the cron and an operator ask of any object. Whatever is asked, the object is loaded, and arms a lost alarm again. */
export interface UpkeepPort {
  /** Makes sure that an alarm is set if there is anything to do. Does none of it. */
  wake(): Promise<void>;
  measureBacklog(): Promise<Backlog>;
}

/** A reservation as its inventory holds it; D1's row must say the same. Counts are tickets, times Unix milliseconds. */
export interface InventoryLine {
  readonly reservationId: string;
  readonly userId: string;
  readonly quantity: number;
  readonly restockedQuantity: number;
  readonly status: ReservationStatus;
  readonly orderId: string | null;
  readonly expiresAtMs: number;
  readonly createdAtMs: number;
}

/** Lines of an inventory in the order they were made, and the moment they are true for. */
export interface InventoryPage {
  readonly lines: readonly InventoryLine[];
  /** Where the next page starts; null on the last. */
  readonly nextPosition: number | null;
  /** Number of the last change in the history: what a line says, it says as of this number. */
  readonly historySeq: number;
  /** Reservations with changes that D1 is still to hear. Null: too many to name, D1 is far behind. */
  readonly waitingIds: readonly string[] | null;
  /** The stock at the same moment. */
  readonly snapshot: InventorySnapshot;
  /** True when nothing waits to be told and no expiry is unreported: D1's counters must be these. */
  readonly isQuiet: boolean;
}

/** A reservation and when it was made, which is how D1 finds its row. */
export type ReservationMade = Pick<InventoryLine, "reservationId" | "createdAtMs">;

/** Which of some reservations an inventory has never made, or not then, by their places in the list; as of `historySeq`. */
export interface UnknownReservations {
  readonly unknownPlaces: readonly number[];
  readonly historySeq: number;
}

/** What repair asks of `TicketTypeInventory`; undefined when it was never configured or is another tenant's. */
export interface InventoryUpkeepPort extends UpkeepPort {
  /** @param afterPosition 0 for the first page. @param limit at most 1,000. */
  listLines(tenantId: string, afterPosition: number, limit: number): Promise<InventoryPage | undefined>;
  /** @param reservations at most 1,000. */
  findUnknown(tenantId: string, reservations: readonly ReservationMade[]): Promise<UnknownReservations | undefined>;
}
