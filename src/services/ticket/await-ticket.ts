import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { pause } from "#platform/clock";
import type { SignedInContext } from "../context.ts";
import { findDesk } from "../find-desk.ts";

/** A ticket paid a moment ago reaches D1 within a second; so long is waited for it, and then the caller may try again. */
const LOOKS_FOR_TICKET = 30;
const BETWEEN_LOOKS_MS = 100;

/**
 * The ticket's row. Its desk knows a new ticket before D1, which must have it before anything can be done with it.
 * @param find reads the row from D1.
 * @returns `not_found` unless D1 has it or it is the caller's own; `overloaded` when D1 lags behind for long.
 */
export async function awaitTicket<Row>(
  ctx: Pick<SignedInContext, "desk" | "principal">,
  ticketId: string,
  find: () => Promise<Row | undefined>,
): Promise<Result<Row, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const known = await find();
  if (known) return succeed(known);
  const issued = await findDesk(ctx, tenantId, ticketId)?.findTicket(tenantId, ticketId);
  if (issued?.ownerUserId !== userId) return refuse({ code: "not_found", what: "ticket" });
  for (let look = 0; look < LOOKS_FOR_TICKET; look += 1) {
    await pause(BETWEEN_LOOKS_MS);
    const stored = await find();
    if (stored) return succeed(stored);
  }
  return refuse({ code: "overloaded", retryAfterSeconds: 1 });
}
