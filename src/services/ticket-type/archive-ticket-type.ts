import type { Failure } from "#domain/failure";
import { succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";
import { changeTicketType } from "./change-ticket-type.ts";
import { pickFields } from "./ticket-type-rules.ts";

/**
 * Takes a ticket type of the caller's tenant off sale for good. From the answer on nobody can hold any of it; sold tickets stay
 * valid, and a hold that was made before may still be paid. Archiving twice is fine. Refuses `not_found`.
 */
export async function archiveTicketType(ctx: SignedInContext, ticketTypeId: string): Promise<Result<undefined, Failure>> {
  const changed = await changeTicketType(ctx, ticketTypeId, (row) =>
    succeed({ fields: { ...pickFields(row), status: "ARCHIVED" as const }, quantity: undefined }),
  );
  return changed.ok ? succeed(undefined) : changed;
}
