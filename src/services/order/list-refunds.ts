import type { Failure } from "#domain/failure";
import { succeed, type Result } from "#domain/result";
import { listRefundRows, type RefundRow } from "#storage/refunds";
import type { SignedInContext } from "../context.ts";
import { findOrder } from "./find-order.ts";

/** A refund as an order's buyer and organiser read it. */
export type RefundView = Omit<RefundRow, "providerRefundId" | "seq">;

/** The refunds of an order that the caller may see, the oldest first, as D1 knows them; else `not_found`. */
export async function listRefunds(ctx: SignedInContext, orderId: string): Promise<Result<readonly RefundView[], Failure>> {
  const order = await findOrder(ctx, orderId);
  return order.ok ? succeed(await listRefundRows(ctx.db, order.value.tenantId, orderId)) : order;
}
