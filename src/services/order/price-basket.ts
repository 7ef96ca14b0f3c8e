import type { Failure } from "#domain/failure";
import { sharedHoldTimeOf } from "#domain/order-holds";
import type { BasketLine, SharedHoldTime } from "#domain/order-messages";
import { priceOrder, type PricedOrder } from "#domain/price-order";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { findDiscounts } from "../discount/discount-cache.ts";
import { findReservation } from "../reservation/find-reservation.ts";
import { findCatalog, forgetCatalog, type Catalog } from "../ticket-type/catalog.ts";

/** What a buyer wants priced: lines of an event, or the lines of a hold made earlier. */
export interface BasketRequest {
  readonly eventId?: string | undefined;
  readonly tickets?: readonly BasketLine[] | undefined;
  readonly reservationId?: string | undefined;
  readonly discountCodes?: readonly string[] | undefined;
}

/** A basket with its prices, and how long it may be held. */
export interface PricedBasket extends PricedOrder, SharedHoldTime {
  readonly eventId: string;
}

/**
 * Looks up what the basket names and prices it; the quote and the purchase both come through here, so they cannot differ.
 * Refuses with `not_found` for an event, type or hold that is not there or not of the caller's tenant, `validation_failed`
 * for a type or a code named twice, `quantity_out_of_range` for fewer or more than an order may have (so that nobody has a
 * million tickets priced one by one), and the refusals of discount codes, but for one that is used up: its inventory says that.
 */
export async function priceRequestedBasket(
  ctx: SignedInContext,
  request: BasketRequest,
): Promise<Result<PricedBasket, Failure>> {
  const { reservationId } = request;
  const basket = reservationId === undefined ? readBasket(request) : await findReservation(ctx, reservationId);
  if (!basket.ok) return basket;
  const { eventId, lines } = basket.value;
  const repeated = lines.findIndex((line, at) => lines.findIndex((other) => other.ticketTypeId === line.ticketTypeId) !== at);
  if (repeated >= 0)
    return refuse(invalidTicket(repeated, "duplicate_ticket_type", "each ticket type may stand in a basket once"));
  const catalog = await findCatalogWith(ctx, eventId, lines);
  if (!catalog || catalog.event.tenantId !== ctx.principal.tenantId) return refuse({ code: "not_found", what: "event" });
  if (lines.some((line) => !catalog.types.has(line.ticketTypeId))) return refuse({ code: "not_found", what: "ticket type" });
  const outOfRange = reservationId === undefined ? findOutOfRange(lines, catalog) : undefined;
  if (outOfRange) return refuse(outOfRange);
  const discounts = await findDiscounts(ctx, request.discountCodes ?? []);
  if (!discounts.ok) return discounts;
  const { taxRounding, nowMs } = ctx;
  const { currency } = catalog.event;
  const priced = priceOrder(lines, { types: catalog.types, currency, taxRounding, discounts: discounts.value, nowMs });
  return priced.ok ? succeed({ eventId, ...priced.value, ...sharedHoldTimeOf(lines, catalog.types) }) : priced;
}

function findOutOfRange(lines: readonly BasketLine[], catalog: Catalog): Failure | undefined {
  for (const { ticketTypeId, quantity } of lines) {
    const type = catalog.types.get(ticketTypeId);
    if (!type) continue;
    const { minPerOrder, maxPerOrder } = type;
    if (quantity < minPerOrder || quantity > maxPerOrder)
      return { code: "quantity_out_of_range", ticketTypeId, minPerOrder, maxPerOrder };
  }
  return undefined;
}

/** The event's catalogue; read anew when it lacks a type that is asked for, which may just have been made elsewhere. */
async function findCatalogWith(
  ctx: SignedInContext,
  eventId: string,
  lines: readonly BasketLine[],
): Promise<Catalog | undefined> {
  const known = await findCatalog(ctx, eventId);
  if (!known || lines.every((line) => known.types.has(line.ticketTypeId))) return known;
  forgetCatalog(eventId);
  return findCatalog(ctx, eventId);
}

function readBasket({ eventId, tickets }: BasketRequest): Result<{ eventId: string; lines: readonly BasketLine[] }, Failure> {
  if (eventId !== undefined && tickets !== undefined) return succeed({ eventId, lines: tickets });
  return refuse({
    code: "validation_failed",
    errors: [{ path: "", code: "required", message: "either eventId and tickets, or reservationId" }],
  });
}

function invalidTicket(position: number, code: string, message: string): Failure {
  return { code: "validation_failed", errors: [{ path: `tickets.${position}.ticketTypeId`, code, message }] };
}
