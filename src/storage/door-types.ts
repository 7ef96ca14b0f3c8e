import { and, asc, eq } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import { ticketTypes } from "./schema.ts";

/** A ticket type as the door needs it. `number` never changes; `soldCount` may be a second old. */
export interface DoorType {
  readonly ticketTypeId: string;
  readonly number: number;
  readonly name: string;
  readonly soldCount: number;
}

/** The ticket types of the tenant's event by their number, archived ones included: their tickets stay valid. */
export function listDoorTypes(db: DrizzleD1Database, tenantId: string, eventId: string): Promise<DoorType[]> {
  return db
    .select({
      ticketTypeId: ticketTypes.id,
      number: ticketTypes.number,
      name: ticketTypes.name,
      soldCount: ticketTypes.soldCount,
    })
    .from(ticketTypes)
    .where(and(eq(ticketTypes.eventId, eventId), eq(ticketTypes.tenantId, tenantId)))
    .orderBy(asc(ticketTypes.number));
}
