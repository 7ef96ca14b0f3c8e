import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { discountStockConfigs, usesOf } from "#domain/discount-stock";
import type { InventoryConfig } from "#domain/inventory-messages";
import type { AppliedDiscount } from "#domain/order-messages";
import { insertDiscountRow } from "#storage/discounts";
import { makeDiscount } from "./make-discount.ts";

/** A discount in D1, what an order that uses it once has of it, and the stock of its cap. */
export async function storeDiscount(
  tenantId: string,
  maxUses: number,
): Promise<{ readonly applied: AppliedDiscount; readonly configs: readonly InventoryConfig[] }> {
  const discount = makeDiscount({ type: "percentage", percentBps: 1 }, { id: crypto.randomUUID(), tenantId, maxUses });
  await insertDiscountRow(drizzle(env.DB), discount, 1);
  const lines = [{ lineNumber: 1, amountCents: 0 }];
  return {
    applied: { discountId: discount.id, lines, uses: usesOf(discount, 1) },
    configs: discountStockConfigs(discount, false),
  };
}
