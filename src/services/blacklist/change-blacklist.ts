import type { Failure } from "#domain/failure";
import { refuse, succeed, type Result } from "#domain/result";
import { deleteBlacklistRow, listBlacklistRows, upsertBlacklistRow, type BlacklistRow } from "#storage/blacklists";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";
import { forgetBlacklist } from "./blacklist.ts";

/**
 * Puts a user of the tenant on the blacklist, or changes why and until when they are on it. Receiving is refused from the answer on,
 * buying within seconds. What they hold and own already stays theirs. Refuses an end that has passed (`validation_failed`).
 */
export async function blacklistUser(
  ctx: SignedInContext,
  input: { readonly userId: string; readonly reason: string; readonly expiresAtMs: number | null },
): Promise<Result<BlacklistRow, Failure>> {
  if (input.expiresAtMs !== null && input.expiresAtMs <= ctx.nowMs) {
    const error = { path: "expiresAt", code: "in_the_past", message: "the end must be in the future" };
    return refuse({ code: "validation_failed", errors: [error] });
  }
  const { tenantId, userId: createdBy } = ctx.principal;
  const row = { ...input, tenantId, createdBy, createdAtMs: ctx.nowMs };
  await upsertBlacklistRow(ctx.db, row);
  forgetBlacklist(tenantId);
  return succeed(row);
}

/** Takes a user off the tenant's blacklist; `not_found` when they are not on it. */
export async function unblacklistUser(ctx: SignedInContext, userId: string): Promise<Result<undefined, Failure>> {
  const { tenantId } = ctx.principal;
  const isDeleted = await deleteBlacklistRow(ctx.db, tenantId, userId);
  forgetBlacklist(tenantId);
  return isDeleted ? succeed(undefined) : refuse({ code: "not_found", what: "blacklist entry" });
}

/** The tenant's entries that are in force, newest first. */
export async function listBlacklist(ctx: SignedInContext, page: PageRequest): Promise<Page<BlacklistRow>> {
  const rows = await listBlacklistRows(ctx.db, { tenantId: ctx.principal.tenantId, ...page, nowMs: ctx.nowMs });
  return pageOfRows(rows, page.limit, ({ createdAtMs, userId }) => ({ createdAtMs, id: userId }));
}
