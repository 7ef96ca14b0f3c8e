/** Parts of statements about mints and assets, for those who send them. */
import { and, eq, gte, isNull, lt, ne, sql, type SQL } from "drizzle-orm";
import type { DrizzleD1Database } from "drizzle-orm/d1";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { sharedPrefixOf } from "#domain/ids";
import { ORDER_STATUS_RANK, type AssetMoveStatus, type OrderStatus } from "#domain/statuses";
import { assetBurns, mintJobs, orderItems, orders, tickets } from "./schema.ts";

/** What identifies a job: every query is within a tenant. */
export interface MintJobKey {
  readonly tenantId: string;
  readonly ticketId: string;
}

/** This job, within its tenant. */
export function isMintJob({ tenantId, ticketId }: MintJobKey): SQL | undefined {
  return and(eq(mintJobs.ticketId, ticketId), eq(mintJobs.tenantId, tenantId));
}

/** The jobs of these tickets, of whatever tenant. */
export function isOneOfTickets(keys: readonly Pick<MintJobKey, "ticketId">[]): SQL {
  return selectTickets({ ticketIds: keys.map(({ ticketId }) => ticketId) })(mintJobs.ticketId);
}

/** These jobs, each within its tenant. */
export function isOneOfMintJobs(keys: readonly MintJobKey[]): SQL | undefined {
  const named = JSON.stringify(keys.map(({ tenantId, ticketId }) => `${tenantId} ${ticketId}`));
  const isOfItsTenant = sql`${mintJobs.tenantId} || ' ' || ${mintJobs.ticketId} IN (SELECT value FROM json_each(${named}))`;
  return and(isOneOfTickets(keys), isOfItsTenant);
}

/** Which jobs are meant: these tickets' or those of one order. */
export type MintJobSelection = { readonly ticketIds: readonly string[] } | { readonly orderId: string };

/** True for the tickets of an order: their ids begin as its own, so they lie side by side under their primary key (docs/adr/0009). */
export function isTicketOfOrder(orderId: string): SQL | undefined {
  const prefix = sharedPrefixOf(orderId);
  return and(gte(tickets.id, prefix), lt(tickets.id, `${prefix}g`), eq(tickets.orderId, orderId));
}

/** True for the ticket ids of a selection. */
export function selectTickets(selection: MintJobSelection): (ticketId: SQLiteColumn) => SQL {
  // json_each, because a statement takes 100 parameters at most.
  return (ticketId) =>
    "orderId" in selection
      ? sql`${ticketId} IN (SELECT ${tickets.id} FROM ${tickets} WHERE ${isTicketOfOrder(selection.orderId)})`
      : sql`${ticketId} IN (SELECT value FROM json_each(${JSON.stringify(selection.ticketIds)}))`;
}

/** True for a ticket that is cancelled: nothing is signed for it any more but the burning of its asset. */
export function isTicketCancelled(ticketId: SQLiteColumn): SQL {
  return sql`(EXISTS (SELECT 1 FROM ${assetBurns} WHERE ${assetBurns.ticketId} = ${ticketId})
    OR EXISTS (SELECT 1 FROM ${tickets} AS cancelled WHERE cancelled.id = ${ticketId} AND cancelled.status = 'CANCELLED'))`;
}

/**
 * True when an order's tickets are all in D1, each is minted or cancelled, and one is minted at least. They may reach D1 in parts, so
 * all that were bought must be here.
 */
export function isOrderMinted(orderId: string): SQL {
  const ofOrder = sql`FROM ${tickets} JOIN ${mintJobs} ON ${mintJobs.ticketId} = ${tickets.id} WHERE ${isTicketOfOrder(orderId)}`;
  const bought = sql`(SELECT sum(${orderItems.quantity}) FROM ${orderItems} WHERE ${orderItems.orderId} = ${orderId})`;
  const settled = sql`(SELECT count(*) ${ofOrder} AND (${mintJobs.status} = 'MINTED' OR ${isTicketCancelled(tickets.id)}))`;
  return sql`(${bought} = ${settled} AND EXISTS (SELECT 1 ${ofOrder} AND ${mintJobs.status} = 'MINTED'))`;
}

/** Moves an order's status up in rank, on a condition. */
export function raiseOrder(
  db: DrizzleD1Database,
  { tenantId, orderId }: { readonly tenantId: string; readonly orderId: string },
  status: OrderStatus,
  condition: SQL,
) {
  // Only upwards in rank, so that the desk's projection and this commute.
  return db
    .update(orders)
    .set({ status })
    .where(
      and(eq(orders.id, orderId), eq(orders.tenantId, tenantId), lt(orders.statusRank, ORDER_STATUS_RANK[status]), condition),
    );
}

/** What an operator reads of a job that ended with its ticket. FAILED is the only status of a mint that ended without a leaf. */
const MINT_CANCELLED = "the ticket was cancelled before it was minted: no NFT of it exists, and there is nothing to do";

/** The statements that end the mint of a cancelled ticket: see `storeMintCancelled`. */
export function cancelMint(
  db: DrizzleD1Database,
  task: MintJobKey & { readonly orderId: string; readonly signature: string | null },
  nowMs: number,
) {
  const isUnchanged = task.signature === null ? isNull(mintJobs.signature) : eq(mintJobs.signature, task.signature);
  const lastError = MINT_CANCELLED;
  return [
    db
      .update(mintJobs)
      .set({ status: "FAILED", signature: null, wireBase64: null, lastValidBlockHeight: null, lastError, updatedAtMs: nowMs })
      .where(and(isMintJob(task), isUnchanged, ne(mintJobs.status, "MINTED"), isTicketCancelled(mintJobs.ticketId))),
    raiseOrder(db, task, "COMPLETED", isOrderMinted(task.orderId)),
  ] as const;
}

/** What a move of an asset is that nobody has begun yet, for an INSERT from a SELECT. */
export function selectNewMove(nowMs: number) {
  return {
    status: sql<AssetMoveStatus>`'QUEUED'`.as("status"),
    signature: sql<string | null>`NULL`.as("signature"),
    wireBase64: sql<string | null>`NULL`.as("wire_base64"),
    lastValidBlockHeight: sql<number | null>`NULL`.as("last_valid_block_height"),
    attempts: sql<number>`0`.as("attempts"),
    lastError: sql<string | null>`NULL`.as("last_error"),
    treeSeq: sql<number | null>`NULL`.as("tree_seq"),
    queuedAtMs: sql<number>`${nowMs}`.as("queued_at_ms"),
    updatedAtMs: sql<number>`${nowMs}`.as("updated_at_ms"),
  };
}
