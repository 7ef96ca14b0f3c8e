import type { EventRow } from "#storage/events";
import { findEventWithTypes, findEventWithTypesOf, type EventWithTypes, type TicketTypeRow } from "#storage/ticket-types";
import { AgedMap } from "../aged-map.ts";
import type { ServiceContext } from "../context.ts";

/** An event and its ticket types by id, archived ones too, in the order of their numbers. Its counters are old: ask the stock. */
export interface Catalog {
  readonly event: EventRow;
  readonly types: ReadonlyMap<string, TicketTypeRow>;
}

/**
 * Every purchase asks for its event and types, and they hardly ever change; so each isolate keeps them. A change made in
 * another isolate shows here within 2 s (1 s fresh, 1 s while one request reads anew).
 *
 * A value is usable for 10 minutes, because a sale must not stop when D1 is down for minutes: what is sold, to whom and how
 * much is decided by inventory and desk, which hold their own configuration. The price of that: while D1 is down, a change of
 * price or name made just before may be missing here.
 */
const catalogs = new AgedMap<Catalog>({ maxEntries: 500, freshForMs: 1_000, refreshForMs: 1_000, usableForMs: 600_000 });

/** Which event a ticket type belongs to; that never changes. */
const eventIds = new Map<string, string>();
const EVENT_IDS_REMEMBERED = 20_000;

/** The event and its types, of whichever tenant; undefined when there is no such event. One D1 round trip at most. */
export function findCatalog(ctx: ServiceContext, eventId: string): Promise<Catalog | undefined> {
  return readThrough(ctx, eventId, () => findEventWithTypes(ctx.db, eventId));
}

/** The same, found by one of the event's ticket types. */
export function findCatalogOfType(ctx: ServiceContext, ticketTypeId: string): Promise<Catalog | undefined> {
  return readThrough(ctx, eventIds.get(ticketTypeId), () => findEventWithTypesOf(ctx.db, ticketTypeId));
}

/** Call after writing an event or one of its types, so that this isolate shows the change at once. */
export function forgetCatalog(eventId: string): void {
  catalogs.forget(eventId);
}

async function readThrough(
  ctx: ServiceContext,
  eventId: string | undefined,
  read: () => Promise<EventWithTypes | undefined>,
): Promise<Catalog | undefined> {
  const known = eventId === undefined ? undefined : catalogs.find(eventId, ctx.nowMs);
  if (known) return known;
  const { generation } = catalogs;
  try {
    const found = await read();
    if (!found) return undefined;
    const catalog = { event: found.event, types: new Map(found.types.map((type) => [type.id, type])) };
    remember(catalog, ctx.nowMs, generation);
    return catalog;
  } catch (error) {
    const stale = eventId === undefined ? undefined : catalogs.findUsable(eventId, ctx.nowMs);
    if (!stale) throw error;
    ctx.logger.warn("D1 did not answer; an older event and ticket types are used", { eventId });
    return stale;
  }
}

function remember(catalog: Catalog, readAtMs: number, generation: number): void {
  for (const ticketTypeId of catalog.types.keys()) rememberEventId(ticketTypeId, catalog.event.id);
  // Someone wrote while this was being read: it may be from before.
  if (catalogs.generation === generation) catalogs.store(catalog.event.id, catalog, readAtMs);
}

function rememberEventId(ticketTypeId: string, eventId: string): void {
  if (eventIds.size >= EVENT_IDS_REMEMBERED) eventIds.clear();
  eventIds.set(ticketTypeId, eventId);
}
