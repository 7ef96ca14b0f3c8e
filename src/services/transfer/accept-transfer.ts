import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { decideAccept } from "#domain/transfer";
import { findBlacklistRow } from "#storage/blacklists";
import { claimTransfer } from "#storage/transfer-acceptance";
import { findTransfer, type TransferRow } from "#storage/transfers";
import type { SignedInContext } from "../context.ts";
import { completeAcceptance } from "./complete-acceptance.ts";
import { partyOf, viewTransfer, type TransferView } from "./transfer-view.ts";

/**
 * Accepts an offer made to the caller. When it is answered the old owner's code is dead at the gate and the caller may show
 * their own. Of several accepts, of accept, decline and cancel, and of accept and scan, exactly one wins.
 *
 * Refuses `not_found` for an offer to somebody else, `transfer_not_pending`, `user_blacklisted`, `ticket_not_valid` (also when the
 * ticket was let in first), `ticket_not_transferable`.
 * @throws when gate, desk or D1 is away after the claim; the same call again goes on, and so does the cron within a minute or so.
 */
export async function acceptTransfer(
  ctx: SignedInContext,
  input: { readonly transferId: string; readonly walletAddress: string | null },
): Promise<Result<TransferView, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const claimed = await claimOffer(ctx, input);
  if (!claimed.ok) return claimed;
  const { transfer, credentialEpoch } = claimed.value;
  const completed = await completeAcceptance(ctx, { ...transfer, claimedByUserId: userId, credentialEpoch });
  if (!completed.ok) return completed;
  const accepted = await findTransfer(ctx.db, tenantId, transfer.id);
  return accepted
    ? succeed(viewTransfer(accepted.transfer, ctx.principal, ctx.nowMs))
    : refuse({ code: "not_found", what: "transfer" });
}

/** The offer once it is the caller's to complete. A claim lost to somebody else is judged again, on what they left. */
async function claimOffer(
  ctx: SignedInContext,
  { transferId, walletAddress }: { readonly transferId: string; readonly walletAddress: string | null },
): Promise<Result<{ readonly transfer: TransferRow; readonly credentialEpoch: number }, Failure>> {
  const { tenantId, userId } = ctx.principal;
  const party = partyOf(ctx.principal);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const [found, blacklisted] = await Promise.all([
      findTransfer(ctx.db, tenantId, transferId),
      findBlacklistRow(ctx.db, tenantId, userId, ctx.nowMs),
    ]);
    if (!found) return refuse({ code: "not_found", what: "transfer" });
    const { transfer, ticket } = found;
    const decided = decideAccept(transfer, ticket, { ...party, isBlacklisted: blacklisted !== undefined }, ctx.nowMs);
    if (!decided.ok) return decided;
    const isTheirs =
      transfer.claimedByUserId === userId ||
      (await claimTransfer(ctx.db, { tenantId, id: transferId, userId, walletAddress, nowMs: ctx.nowMs }));
    if (isTheirs) return succeed({ transfer, credentialEpoch: ticket.credentialEpoch });
  }
  return refuse({ code: "transfer_not_pending" });
}
