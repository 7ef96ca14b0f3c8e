import { eq } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { events, ticketTypes, tickets } from "./schema.ts";

/** What anyone may know of a ticket: its event and its kind, nothing of its owner. Times are Unix milliseconds. */
export interface TicketFace {
  readonly ticketId: string;
  readonly eventId: string;
  readonly eventName: string;
  readonly venueName: string | null;
  readonly startsAtMs: number;
  readonly timezone: string;
  readonly ticketTypeName: string;
  readonly isTransferable: boolean;
}

/** The public face of a ticket of any tenant: the chain points at it, and no one signs in to look. */
export async function findTicketFace(db: DrizzleD1Database, ticketId: string): Promise<TicketFace | undefined> {
  return db
    .select({
      ticketId: tickets.id,
      eventId: events.id,
      eventName: events.name,
      venueName: events.venueName,
      startsAtMs: events.startsAtMs,
      timezone: events.timezone,
      ticketTypeName: ticketTypes.name,
      isTransferable: ticketTypes.transferable,
    })
    .from(tickets)
    .innerJoin(events, eq(events.id, tickets.eventId))
    .innerJoin(ticketTypes, eq(ticketTypes.id, tickets.ticketTypeId))
    .where(eq(tickets.id, ticketId))
    .get();
}
