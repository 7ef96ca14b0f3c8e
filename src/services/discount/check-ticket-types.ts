import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { listKnownTypeIds } from "#storage/discounts";
import type { SignedInContext } from "../context.ts";

/** Refuses `validation_failed` for a ticket type that the caller's tenant does not have. Null stands for all of them. */
export async function checkTicketTypes(
  ctx: SignedInContext,
  ticketTypeIds: readonly string[] | null,
): Promise<Result<undefined, Failure>> {
  if (ticketTypeIds === null) return succeed(undefined);
  const known = await listKnownTypeIds(ctx.db, ctx.principal.tenantId, ticketTypeIds);
  const errors = ticketTypeIds.flatMap((id, at) =>
    known.includes(id)
      ? []
      : [{ path: `ticketTypeIds.${at}`, code: "unknown_ticket_type", message: "there is no such ticket type" }],
  );
  return errors.length > 0 ? refuse({ code: "validation_failed", errors }) : succeed(undefined);
}
