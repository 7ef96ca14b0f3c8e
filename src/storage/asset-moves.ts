import { and, asc, eq, gt, or } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { AssetMoveStatus } from "#domain/statuses";
import { assetMoves } from "./schema.ts";

/** An asset that must follow its ticket; null addresses are the custody of the service's wallet. */
export type AssetMoveRow = typeof assetMoves.$inferSelect;

/** At most `limit` + 1 of the tenant's moves in one status, the longest waiting first. */
export function listAssetMoves(
  db: DrizzleD1Database,
  query: {
    readonly tenantId: string;
    readonly status: AssetMoveStatus;
    readonly limit: number;
    readonly after: { readonly createdAtMs: number; readonly id: string } | undefined;
  },
): Promise<AssetMoveRow[]> {
  const { queuedAtMs, transferId } = assetMoves;
  const { after } = query;
  const isAfter =
    after && or(gt(queuedAtMs, after.createdAtMs), and(eq(queuedAtMs, after.createdAtMs), gt(transferId, after.id)));
  return db
    .select()
    .from(assetMoves)
    .where(and(eq(assetMoves.tenantId, query.tenantId), eq(assetMoves.status, query.status), isAfter))
    .orderBy(asc(queuedAtMs), asc(transferId))
    .limit(query.limit + 1);
}
