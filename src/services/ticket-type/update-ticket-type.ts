import type { Failure, FieldError } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findEventRow } from "#storage/events";
import type { TicketTypeFields, TicketTypeRow } from "#storage/ticket-types";
import type { SignedInContext } from "../context.ts";
import { changeTicketType, type TicketTypeChange } from "./change-ticket-type.ts";
import { listTicketTypeErrors, pickFields } from "./ticket-type-rules.ts";
import { toTicketTypeView, type TicketTypeView } from "./ticket-type-view.ts";

/** What shall change of a ticket type; what is left out stays. `eventId` may only be what it is. */
export interface UpdateTicketTypeInput {
  readonly ticketTypeId: string;
  readonly eventId?: string | undefined;
  readonly quantity?: number | undefined;
  readonly fields: { readonly [Field in keyof TicketTypeFields]?: TicketTypeFields[Field] | undefined };
}

/**
 * Changes a ticket type of the caller's tenant. An archived one may be changed too, since its name still shows on tickets and
 * at the door, but it stays archived.
 *
 * Refuses `not_found`, `validation_failed`, and `capacity_below_committed` when more is held and sold than the new quantity.
 * The gate hears the name every time, also an unchanged one: so an update repairs a gate that an earlier failure left out.
 */
export async function updateTicketType(
  ctx: SignedInContext,
  input: UpdateTicketTypeInput,
): Promise<Result<TicketTypeView, Failure>> {
  const changed = await changeTicketType(ctx, input.ticketTypeId, (row) => decideUpdate(row, input));
  if (!changed.ok) return changed;
  const { row, stock } = changed.value;
  const { tenantId, eventId, number, name } = row;
  const [event] = await Promise.all([
    findEventRow(ctx.db, tenantId, eventId),
    ctx.gate(eventId).putTicketType(tenantId, { number, ticketTypeId: row.id, name }),
  ]);
  if (!event) return refuse({ code: "not_found", what: "event" });
  return succeed(toTicketTypeView(row, event.currency, stock, ctx.nowMs));
}

function decideUpdate(row: TicketTypeRow, input: UpdateTicketTypeInput): Result<TicketTypeChange, Failure> {
  const given = Object.fromEntries(Object.entries(input.fields).filter(([, value]) => value !== undefined));
  // Only fields that `input.fields` names, with the types it gives them.
  const fields = { ...pickFields(row), ...(given as Partial<TicketTypeFields>) };
  const errors: FieldError[] = [...listTicketTypeErrors(fields)];
  if (input.eventId !== undefined && input.eventId !== row.eventId) {
    errors.push({ path: "eventId", code: "immutable", message: "a ticket type stays with its event" });
  }
  if (errors.length > 0) return refuse({ code: "validation_failed", errors });
  return succeed({ fields, quantity: input.quantity });
}
