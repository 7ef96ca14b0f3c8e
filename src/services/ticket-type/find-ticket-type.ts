import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { ServiceContext } from "../context.ts";
import { findCatalogOfType } from "./catalog.ts";
import { viewTicketType, type TicketTypeView } from "./ticket-type-view.ts";

/** A ticket type with its stock, for anyone; refuses `not_found`. Its description may be 2 s old, its stock half a second. */
export async function findTicketType(ctx: ServiceContext, ticketTypeId: string): Promise<Result<TicketTypeView, Failure>> {
  const catalog = await findCatalogOfType(ctx, ticketTypeId);
  const type = catalog?.types.get(ticketTypeId);
  if (!catalog || !type) return refuse({ code: "not_found", what: "ticket type" });
  return succeed(await viewTicketType(ctx, type, catalog.event.currency));
}
