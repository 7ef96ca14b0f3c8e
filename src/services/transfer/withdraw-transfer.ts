import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { decideWithdrawal } from "#domain/transfer";
import { endTransfer, findTransfer } from "#storage/transfers";
import type { SignedInContext } from "../context.ts";
import { partyOf, viewTransfer, type TransferView } from "./transfer-view.ts";

/**
 * Ends an open offer: CANCELLED by who made it, DECLINED by who got it. The ticket stays as it is.
 * Refuses `not_found` to everybody else, and `transfer_not_pending` once it is over or being accepted.
 */
export async function withdrawTransfer(
  ctx: SignedInContext,
  transferId: string,
  withdrawal: "CANCELLED" | "DECLINED",
): Promise<Result<TransferView, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const found = await findTransfer(ctx.db, tenantId, transferId);
  if (!found) return refuse({ code: "not_found", what: "transfer" });
  const decided = decideWithdrawal(found.transfer, partyOf(ctx.principal), withdrawal, ctx.nowMs);
  if (!decided.ok) return decided;
  const byRecipient = withdrawal === "DECLINED" ? userId : null;
  const isEnded = await endTransfer(
    ctx.db,
    { tenantId, id: transferId },
    { status: withdrawal, byRecipient, nowMs: ctx.nowMs },
  );
  const ended = isEnded ? await findTransfer(ctx.db, tenantId, transferId) : undefined;
  return ended ? succeed(viewTransfer(ended.transfer, ctx.principal, ctx.nowMs)) : refuse({ code: "transfer_not_pending" });
}
