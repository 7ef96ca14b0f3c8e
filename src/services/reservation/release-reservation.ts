import type { Failure } from "#domain/failure";
import { deskNumberOf, isDeskOfTenant } from "#domain/ids";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";

/**
 * Gives the caller's own hold back at once; again, or after it expired, changes nothing and succeeds.
 * Refuses `not_found`, and `reservation_not_active` for a hold that an order uses.
 */
export async function releaseReservation(ctx: SignedInContext, reservationId: string): Promise<Result<void, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const desk = deskNumberOf(reservationId);
  if (!isDeskOfTenant(desk, tenantId)) return refuse({ code: "not_found", what: "reservation" });
  const released = await ctx.desk(desk).releaseHold(tenantId, userId, reservationId);
  if (!released.ok) return released;
  forgetStock(released.hold.lines.map((line) => line.ticketTypeId));
  return succeed(undefined);
}
