import type { Failure } from "#domain/failure";
import type { HoldView } from "#domain/order-messages";
import { refuse, succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";

/** The caller's own hold as it is now; anybody else's is `not_found`. */
export async function findReservation(ctx: SignedInContext, reservationId: string): Promise<Result<HoldView, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const hold = await findDesk(ctx, tenantId, reservationId)?.findHold(tenantId, reservationId);
  return hold?.userId === userId ? succeed(hold) : refuse({ code: "not_found", what: "reservation" });
}
