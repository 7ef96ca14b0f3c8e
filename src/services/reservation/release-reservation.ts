import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";
import { forgetStock } from "../ticket-type/stock-cache.ts";

/**
 * Gives the caller's own hold back at once; again, or after it expired, changes nothing and succeeds.
 * Refuses `not_found`, and `reservation_not_active` for a hold that an order uses.
 */
export async function releaseReservation(ctx: SignedInContext, reservationId: string): Promise<Result<void, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const desk = findDesk(ctx, tenantId, reservationId);
  if (!desk) return refuse({ code: "not_found", what: "reservation" });
  const released = await desk.releaseHold(tenantId, userId, reservationId);
  if (!released.ok) return released;
  forgetStock(released.hold.lines.map((line) => line.ticketTypeId));
  return succeed(undefined);
}
