import type { AssetBurnStatus } from "#domain/statuses";
import { listAssetBurns as listRows, type AssetBurnRow } from "#storage/asset-moves";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";

/** The tenant's assets that must be burnt with their cancelled tickets, in one status, the longest waiting first. */
export async function listAssetBurns(
  ctx: SignedInContext,
  status: AssetBurnStatus,
  page: PageRequest,
): Promise<Page<AssetBurnRow>> {
  const rows = await listRows(ctx.db, { tenantId: ctx.principal.tenantId, status, ...page });
  return pageOfRows(rows, page.limit, ({ queuedAtMs, ticketId }) => ({ createdAtMs: queuedAtMs, id: ticketId }));
}
