import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { ServiceContext } from "../context.ts";
import { findCatalog } from "./catalog.ts";
import { viewTicketType, type TicketTypeView } from "./ticket-type-view.ts";

/**
 * All ticket types of an event with their stock, for anyone, in the order they were made; archived ones too, because tickets
 * of theirs are still around. Refuses `not_found` for an event that is not there.
 */
export async function listTicketTypes(
  ctx: ServiceContext,
  eventId: string,
): Promise<Result<readonly TicketTypeView[], Failure>> {
  const catalog = await findCatalog(ctx, eventId);
  if (!catalog) return refuse({ code: "not_found", what: "event" });
  const { currency } = catalog.event;
  return succeed(await Promise.all([...catalog.types.values()].map((type) => viewTicketType(ctx, type, currency))));
}
