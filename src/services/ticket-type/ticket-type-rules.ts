import type { FieldError } from "#domain/failure";
import type { InventoryConfig } from "#domain/inventory-messages";
import type { TicketTypeFields, TicketTypeRow } from "#storage/ticket-types";

/** Rules between the fields of a ticket type; those of a single field are its schema's. Empty when all hold. */
export function listTicketTypeErrors(fields: TicketTypeFields): readonly FieldError[] {
  const { saleStartsAtMs, saleEndsAtMs, minPerOrder, maxPerOrder, maxPerUser } = fields;
  const errors: FieldError[] = [];
  if (saleStartsAtMs !== null && saleEndsAtMs !== null && saleEndsAtMs <= saleStartsAtMs) {
    errors.push({ path: "saleEndsAt", code: "not_after_start", message: "the sale must end after it starts" });
  }
  if (maxPerOrder < minPerOrder) {
    errors.push({ path: "maxPerOrder", code: "below_minimum", message: "must not be less than minPerOrder" });
  }
  if (maxPerUser !== null && maxPerUser < minPerOrder) {
    errors.push({
      path: "maxPerUser",
      code: "below_minimum",
      message: "must not be less than minPerOrder, or nobody could buy",
    });
  }
  return errors;
}

/** What the inventory must know of a type, whose capacity is the organiser's `quantity`. */
export function toInventoryConfig(
  type: TicketTypeFields & Pick<TicketTypeRow, "id" | "tenantId" | "eventId" | "status">,
  quantity: number,
): InventoryConfig {
  const { id, tenantId, eventId, status, saleStartsAtMs, saleEndsAtMs } = type;
  const { minPerOrder, maxPerOrder, maxPerUser, reservationTtlSeconds } = type;
  return {
    tenantId,
    eventId,
    ticketTypeId: id,
    capacity: quantity,
    status,
    saleStartsAtMs,
    saleEndsAtMs,
    minPerOrder,
    maxPerOrder,
    maxPerUser,
    reservationTtlSeconds,
  };
}

/** The row without what no organiser changes here: identity, number, quantity, counters. */
export function pickFields(row: TicketTypeRow): TicketTypeFields & Pick<TicketTypeRow, "status"> {
  const { name, description, priceCents, saleStartsAtMs, saleEndsAtMs, minPerOrder, maxPerOrder, maxPerUser } = row;
  const { reservationTtlSeconds, transferable, feeCents, taxRateBps, status } = row;
  return {
    name,
    description,
    priceCents,
    saleStartsAtMs,
    saleEndsAtMs,
    minPerOrder,
    maxPerOrder,
    maxPerUser,
    reservationTtlSeconds,
    transferable,
    feeCents,
    taxRateBps,
    status,
  };
}
