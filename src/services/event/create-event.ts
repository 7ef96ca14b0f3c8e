import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { insertEventRow, type EventFields } from "#storage/events";
import type { SignedInContext } from "../context.ts";
import { listEventErrors, toGateConfig } from "./event-rules.ts";
import { toEventView, type EventView } from "./event-view.ts";

/**
 * Makes an event of the caller's tenant. Refuses `validation_failed`.
 *
 * Its gate comes first: so an event that anyone can see has a gate that admits, and a gate whose event was never stored is
 * reachable by nobody.
 */
export async function createEvent(ctx: SignedInContext, fields: EventFields): Promise<Result<EventView, Failure>> {
  const errors = listEventErrors(fields);
  if (errors.length > 0) return refuse({ code: "validation_failed", errors });
  const identity = { id: ctx.newId(), tenantId: ctx.principal.tenantId };
  await ctx.gate(identity.id).configure(toGateConfig({ ...identity, ...fields }));
  return succeed(toEventView(await insertEventRow(ctx.db, identity, fields, ctx.nowMs)));
}
