import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { ServiceContext } from "../context.ts";
import { findCatalog } from "../ticket-type/catalog.ts";
import { toEventView, type EventView } from "./event-view.ts";

/** An event, for anyone; refuses `not_found`. A change made elsewhere shows within 2 s. */
export async function findEvent(ctx: ServiceContext, eventId: string): Promise<Result<EventView, Failure>> {
  const catalog = await findCatalog(ctx, eventId);
  return catalog ? succeed(toEventView(catalog.event)) : refuse({ code: "not_found", what: "event" });
}
