import type { Discount } from "#domain/discount";
import { discountStockConfigs } from "#domain/discount-stock";
import type { Failure } from "#domain/failure";
import type { InventoryConfig } from "#domain/inventory-messages";
import { succeed, type Result } from "#domain/result";
import type { SignedInContext } from "../context.ts";

/**
 * Tells the inventories of a discount's caps what it is now; without a cap there is nobody to tell. A cap that was taken away
 * keeps its object with what was used, and goes on from there if it comes back.
 * Refuses `capacity_below_committed`; what another cap was told before is then taken back.
 * @param before The discount as it was; undefined for a new one.
 */
export async function configureStock(
  ctx: SignedInContext,
  discount: Discount,
  isArchived: boolean,
  before: Discount | undefined,
): Promise<Result<undefined, Failure>> {
  const earlier = new Map((before ? discountStockConfigs(before, false) : []).map((config) => [config.ticketTypeId, config]));
  const told: InventoryConfig[] = [];
  for (const config of discountStockConfigs(discount, isArchived)) {
    const configured = await ctx.inventory(config.ticketTypeId).configure(config);
    if (!configured.ok) {
      for (const { ticketTypeId } of told) {
        const back = earlier.get(ticketTypeId);
        if (back) await ctx.inventory(ticketTypeId).configure(back);
      }
      return configured;
    }
    told.push(config);
  }
  return succeed(undefined);
}
