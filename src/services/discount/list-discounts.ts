import { listDiscountRows } from "#storage/discounts";
import type { SignedInContext } from "../context.ts";
import { pageOfRows, type Page, type PageRequest } from "../page.ts";
import { toDiscountView, type DiscountView } from "./discount-view.ts";

/** The discounts of the caller's tenant, newest first, without archived ones; their counters may be a second old. */
export async function listDiscounts(ctx: SignedInContext, page: PageRequest): Promise<Page<DiscountView>> {
  const rows = await listDiscountRows(ctx.db, { tenantId: ctx.principal.tenantId, ...page });
  const { items, nextCursor } = pageOfRows(rows, page.limit, (row) => row);
  return { items: items.map(toDiscountView), nextCursor };
}
