import type { Failure } from "#domain/failure";
import { hasRole, type Principal } from "#domain/principal";
import { succeed, type Result } from "#domain/result";
import { listRefundRows, type RefundRow } from "#storage/refunds";
import type { SignedInContext } from "../context.ts";
import { findOrder } from "./find-order.ts";

/** A refund as an order's buyer and organiser read it; who paid it back by hand is the organiser's affair. */
export type RefundView = Pick<
  RefundRow,
  "id" | "status" | "amountCents" | "currency" | "reason" | "note" | "ticketIds" | "settledBy" | "createdAtMs"
>;

/** The refunds of an order that the caller may see, the oldest first, as D1 knows them; else `not_found`. */
export async function listRefunds(ctx: SignedInContext, orderId: string): Promise<Result<readonly RefundView[], Failure>> {
  const order = await findOrder(ctx, orderId);
  if (!order.ok) return order;
  const rows = await listRefundRows(ctx.db, order.value.tenantId, orderId);
  return succeed(rows.map((row) => toRefundView(ctx.principal, row)));
}

/** The refund as the principal may read it. */
export function toRefundView(principal: Principal, row: RefundRow): RefundView {
  return { ...row, settledBy: hasRole(principal, "venue_manager") ? row.settledBy : null };
}
