import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { findEventRow, updateEventRow, type EventFields } from "#storage/events";
import type { SignedInContext } from "../context.ts";
import { forgetCatalog } from "../ticket-type/catalog.ts";
import { listEventErrors, toGateConfig } from "./event-rules.ts";
import { toEventView, type EventView } from "./event-view.ts";

/**
 * Replaces what is said of an event of the caller's tenant: all of it, so what is left out is gone.
 *
 * Refuses `not_found`, and `validation_failed`, also for another currency once the event has a ticket type: its prices are
 * numbers in the old one. The gate hears the times after D1 and every time; when it can't be reached the caller gets an error,
 * and the same request again repairs it.
 */
export async function updateEvent(
  ctx: SignedInContext,
  input: { readonly eventId: string; readonly fields: EventFields },
): Promise<Result<EventView, Failure>> {
  const { eventId, fields } = input;
  const { tenantId } = ctx.principal;
  const errors = listEventErrors(fields);
  if (errors.length > 0) return refuse({ code: "validation_failed", errors });
  const event = await updateEventRow(ctx.db, { id: eventId, tenantId }, fields, ctx.nowMs);
  if (!event) return refuse(await explainRefusal(ctx, eventId));
  forgetCatalog(eventId);
  await ctx.gate(eventId).configure(toGateConfig(event));
  return succeed(toEventView(event));
}

async function explainRefusal(ctx: SignedInContext, eventId: string): Promise<Failure> {
  if (!(await findEventRow(ctx.db, ctx.principal.tenantId, eventId))) return { code: "not_found", what: "event" };
  const message = "the event has ticket types with prices in its present currency";
  return { code: "validation_failed", errors: [{ path: "currency", code: "immutable", message }] };
}
