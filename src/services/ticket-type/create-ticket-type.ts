import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findEventWithTypes, insertTicketTypeRow, type TicketTypeFields } from "#storage/ticket-types";
import type { SignedInContext } from "../context.ts";
import { forgetCatalog } from "./catalog.ts";
import { rememberStock } from "./stock-cache.ts";
import { listTicketTypeErrors, toInventoryConfig } from "./ticket-type-rules.ts";
import { toTicketTypeView, type TicketTypeView } from "./ticket-type-view.ts";

/** A new ticket type as the organiser describes it; the contract's defaults are in already, but for the configured hold time. */
export interface CreateTicketTypeInput extends Omit<TicketTypeFields, "reservationTtlSeconds"> {
  readonly reservationTtlSeconds?: number | undefined;
  readonly eventId: string;
  readonly quantity: number;
}

/** Of one event; it bounds the catalogue that every isolate keeps and the list that anyone may read. */
const TYPES_PER_EVENT = 200;

/**
 * Puts a new ticket type of the caller's event on sale. Refuses `not_found` and `validation_failed`.
 *
 * The inventory comes first, so a stored type always has stock that answers; an inventory whose type was never stored is
 * reachable by nobody. When the gate fails after D1, the caller gets an error although the type is there and on sale: it shows
 * in the event's list, and any update of it tells the gate again.
 */
export async function createTicketType(
  ctx: SignedInContext,
  input: CreateTicketTypeInput,
): Promise<Result<TicketTypeView, Failure>> {
  const { tenantId } = ctx.principal;
  const { eventId, quantity, reservationTtlSeconds = ctx.defaultReservationTtlSeconds, ...given } = input;
  const fields = { ...given, reservationTtlSeconds };
  const errors = listTicketTypeErrors(fields);
  if (errors.length > 0) return refuse({ code: "validation_failed", errors });
  const catalog = await findEventWithTypes(ctx.db, eventId);
  if (!catalog || catalog.event.tenantId !== tenantId) return refuse({ code: "not_found", what: "event" });
  if (catalog.types.length >= TYPES_PER_EVENT) return refuse(tooManyTypes());
  const id = ctx.newId();
  const type = { ...fields, id, tenantId, eventId, quantity };
  const configured = await ctx.inventory(id).configure(toInventoryConfig({ ...type, status: "ACTIVE" }, quantity));
  if (!configured.ok) return configured;
  const row = await insertTicketTypeRow(ctx.db, type, ctx.nowMs);
  forgetCatalog(eventId);
  rememberStock([{ ticketTypeId: id, snapshot: configured.snapshot }]);
  await ctx.gate(eventId).putTicketType(tenantId, { number: row.number, ticketTypeId: id, name: row.name });
  return succeed(toTicketTypeView(row, catalog.event.currency, configured.snapshot, ctx.nowMs));
}

function tooManyTypes(): Failure {
  const message = `an event has at most ${TYPES_PER_EVENT} ticket types, archived ones included`;
  return { code: "validation_failed", errors: [{ path: "eventId", code: "too_many_ticket_types", message }] };
}
