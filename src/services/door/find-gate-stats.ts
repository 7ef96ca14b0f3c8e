import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { listDoorTypes } from "#storage/door-types";
import type { SignedInContext } from "../context.ts";

/** Counts of one ticket type at one list; `listId` is null for scans that named none. */
export interface GateCount {
  readonly listId: string | null;
  readonly ticketTypeId: string;
  readonly ticketTypeName: string;
  /** Tickets sold of the type, from D1, up to a second old. */
  readonly sold: number;
  /** Tickets let in at least once, from the gate, exact. */
  readonly admitted: number;
  /** Tickets let in and not out again, from the gate, exact. */
  readonly inside: number;
}

/**
 * How many tickets of each type are sold, were let in and are inside, at the unnamed list and each list that has scans.
 * @returns `not_found` when the event is not of the caller's tenant.
 */
export async function findGateStats(ctx: SignedInContext, eventId: string): Promise<Result<readonly GateCount[], Failure>> {
  const { tenantId } = ctx.principal;
  const [stats, types] = await Promise.all([ctx.gate(eventId).stats(tenantId), listDoorTypes(ctx.db, tenantId, eventId)]);
  if (stats === undefined) return refuse({ code: "not_found", what: "event" });
  const listIds = new Set([null, ...stats.lists.map((count) => count.listId)]);
  const counts = [...listIds].flatMap((listId) =>
    types.map(({ ticketTypeId, name, soldCount }) => {
      const count = stats.lists.find((candidate) => candidate.listId === listId && candidate.ticketTypeId === ticketTypeId);
      const { admitted = 0, inside = 0 } = count ?? {};
      return { listId, ticketTypeId, ticketTypeName: name, sold: soldCount, admitted, inside };
    }),
  );
  return succeed(counts);
}
