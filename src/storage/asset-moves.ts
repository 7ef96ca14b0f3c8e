import { and, asc, eq } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { AssetBurnStatus, AssetMoveStatus } from "#domain/statuses";
import { isNewerThan, type PageStart } from "./page-start.ts";
import { assetBurns, assetMoves } from "./schema.ts";

/** An asset that must follow its ticket; null addresses are the custody of the service's wallet. */
export type AssetMoveRow = Omit<typeof assetMoves.$inferSelect, "wireBase64" | "lastValidBlockHeight" | "treeSeq" | "tenantId">;

/** An asset that must be burnt with its ticket. */
export type AssetBurnRow = Omit<typeof assetBurns.$inferSelect, "wireBase64" | "lastValidBlockHeight" | "treeSeq" | "tenantId">;

interface PageOfWork<Status> {
  readonly tenantId: string;
  readonly status: Status;
  readonly limit: number;
  readonly after: PageStart | undefined;
}

/** At most `limit` + 1 of the tenant's moves in one status, the longest waiting first. */
export function listAssetMoves(db: DrizzleD1Database, query: PageOfWork<AssetMoveStatus>): Promise<AssetMoveRow[]> {
  const { queuedAtMs, transferId } = assetMoves;
  const isOnPage = isNewerThan([queuedAtMs, transferId], query.after);
  return db
    .select({
      ...workColumns(assetMoves),
      transferId,
      fromAddress: assetMoves.fromAddress,
      toAddress: assetMoves.toAddress,
      status: assetMoves.status,
    })
    .from(assetMoves)
    .where(and(eq(assetMoves.tenantId, query.tenantId), eq(assetMoves.status, query.status), isOnPage))
    .orderBy(asc(queuedAtMs), asc(transferId))
    .limit(query.limit + 1);
}

/** At most `limit` + 1 of the tenant's burns in one status, the longest waiting first. */
export function listAssetBurns(db: DrizzleD1Database, query: PageOfWork<AssetBurnStatus>): Promise<AssetBurnRow[]> {
  const { queuedAtMs, ticketId } = assetBurns;
  const isOnPage = isNewerThan([queuedAtMs, ticketId], query.after);
  return db
    .select({ ...workColumns(assetBurns), status: assetBurns.status })
    .from(assetBurns)
    .where(and(eq(assetBurns.tenantId, query.tenantId), eq(assetBurns.status, query.status), isOnPage))
    .orderBy(asc(queuedAtMs), asc(ticketId))
    .limit(query.limit + 1);
}

/** What people see of the work; the bytes that were signed are for the chain. */
function workColumns(table: typeof assetMoves | typeof assetBurns) {
  const { ticketId, signature, attempts, lastError, queuedAtMs, updatedAtMs } = table;
  return { ticketId, signature, attempts, lastError, queuedAtMs, updatedAtMs };
}
