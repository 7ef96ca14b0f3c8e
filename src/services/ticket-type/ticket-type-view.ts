import { isOnSale } from "#domain/inventory";
import type { InventorySnapshot } from "#domain/inventory-messages";
import { assertInvariant } from "#domain/result";
import type { TicketTypeFields, TicketTypeRow } from "#storage/ticket-types";
import type { ServiceContext } from "../context.ts";
import { findStock } from "./stock-cache.ts";
import { pickFields } from "./ticket-type-rules.ts";

/** What a buyer can do with a ticket type now; `reserved` means that all that is left is held and may come back. */
export const AVAILABILITIES = ["available", "reserved", "sold_out", "not_on_sale"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

/** A ticket type with its stock. Times are Unix milliseconds, money minor units of the event's currency. */
export interface TicketTypeView extends TicketTypeFields, Pick<TicketTypeRow, "status"> {
  readonly id: string;
  readonly eventId: string;
  readonly quantity: number;
  readonly heldCount: number;
  readonly soldCount: number;
  readonly currency: string;
  readonly availableCount: number;
  readonly availability: Availability;
}

/** Joins a type with its stock at its inventory. @throws when the inventory can't be reached. */
export async function viewTicketType(ctx: ServiceContext, type: TicketTypeRow, currency: string): Promise<TicketTypeView> {
  const stock = await findStock(ctx, type.id);
  assertInvariant(stock !== undefined, "a ticket type's inventory is configured before the type is stored");
  return toTicketTypeView(type, currency, stock, ctx.nowMs);
}

/**
 * A type and its stock as a buyer reads them; the figures are the inventory's, not D1's.
 * Invariant: heldCount + soldCount + availableCount = quantity.
 */
export function toTicketTypeView(
  type: TicketTypeRow,
  currency: string,
  stock: InventorySnapshot,
  nowMs: number,
): TicketTypeView {
  const { capacity, heldCount, soldCount, availableCount } = stock;
  return {
    id: type.id,
    eventId: type.eventId,
    ...pickFields(type),
    currency,
    quantity: capacity,
    heldCount,
    soldCount,
    availableCount,
    availability: decideAvailability(type, stock, nowMs),
  };
}

/** A type is on sale when its inventory would say so. */
export function decideAvailability(
  type: Pick<TicketTypeRow, "status" | "saleStartsAtMs" | "saleEndsAtMs">,
  stock: Pick<InventorySnapshot, "availableCount" | "heldCount">,
  nowMs: number,
): Availability {
  if (!isOnSale(type, nowMs)) return "not_on_sale";
  if (stock.availableCount > 0) return "available";
  return stock.heldCount > 0 ? "reserved" : "sold_out";
}
