import type { AssetMoveStatus } from "#domain/statuses";
import { listAssetMoves as listRows, type AssetMoveRow } from "#storage/asset-moves";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";

/** The tenant's assets that must follow their tickets to another wallet, in one status, the longest waiting first. */
export async function listAssetMoves(
  ctx: SignedInContext,
  status: AssetMoveStatus,
  page: PageRequest,
): Promise<Page<AssetMoveRow>> {
  const rows = await listRows(ctx.db, { tenantId: ctx.principal.tenantId, status, ...page });
  return pageOfRows(rows, page.limit, ({ queuedAtMs, transferId }) => ({ createdAtMs: queuedAtMs, id: transferId }));
}
